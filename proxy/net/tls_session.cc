#include "proxy/net/tls_session.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>

namespace verge::net {

namespace {

constexpr size_t kRecordBytes = 16'384;
// A record can be read when it is whole. After a rest the congestion window may be no more than ten packets: with the
// full record as the first thing the peer would wait two round trips for its first octet.
constexpr size_t kFirstRecordBytes = 4'096;
constexpr Millis kRest{1'000};
// Encrypted ahead of one send(): what a reader that stops can leave us holding.
constexpr size_t kBatchBytes = 3 * kRecordBytes;

// Shared by all sessions of a thread, each used only within one call.
struct ThreadBuffers {
  std::array<char, 65'536> received;
  std::array<char, kRecordBytes> record; // small pieces gathered to a full record
  std::string wire;                      // records on their way to one send()
};
ThreadBuffers& buffers() {
  thread_local const std::unique_ptr<ThreadBuffers> it(new ThreadBuffers); // arrays not zeroed
  return *it;
}

// SSL_get_error() looks at the thread's queue, and others may have left something there. Looking costs less than
// clearing what is empty.
void forget_errors() noexcept {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

} // namespace

TlsSession::TlsSession(SSL* ssl, int fd) : ssl_(ssl), fd_(fd) {
  BIO* bio = BIO_new(bio_method());
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);
}

TlsSession::~TlsSession() {
  // OpenSSL forbids to resume the session of a connection that was dropped without close_notify, as SSL 3 did. TLS
  // does not (RFC 5246 section 7.2.1); after a fatal alert it does.
  const bool fatal = !error_.empty() && !transport_failed_;
  if (established_ && !fatal) SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

BIO_METHOD* TlsSession::bio_method() {
  // Lives as long as the program.
  static BIO_METHOD* const method = [] {
    BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "verge connection");
    if (m == nullptr) throw std::bad_alloc();
    BIO_meth_set_read(m, bio_read);
    BIO_meth_set_write(m, bio_write);
    BIO_meth_set_ctrl(m, bio_ctrl);
    return m;
  }();
  return method;
}

int TlsSession::bio_read(BIO* bio, char* to, int size) {
  auto& self = *static_cast<TlsSession*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (self.in_.empty() && !self.drained_) self.receive();
  if (self.in_.empty()) {
    if (!self.eof_ && self.errno_ == 0) BIO_set_retry_read(bio);
    return self.eof_ ? 0 : -1;
  }
  const size_t n = std::min(self.in_.size(), static_cast<size_t>(size));
  std::memcpy(to, self.in_.data(), n);
  self.in_.remove_prefix(n);
  return static_cast<int>(n);
}

int TlsSession::bio_write(BIO* bio, const char* from, int size) {
  auto& self = *static_cast<TlsSession*>(BIO_get_data(bio));
  self.sink_->append(from, static_cast<size_t>(size));
  return size;
}

long TlsSession::bio_ctrl(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return static_cast<TlsSession*>(BIO_get_data(bio))->eof_ ? 1 : 0;
  return 0;
}

void TlsSession::receive() noexcept {
  auto& buffer = buffers().received;
  const ssize_t n = ::recv(fd_, buffer.data(), buffer.size(), 0);
  if (n > 0) {
    in_ = {buffer.data(), static_cast<size_t>(n)};
    drained_ = static_cast<size_t>(n) < buffer.size();
    return;
  }
  drained_ = true;
  if (n == 0) {
    eof_ = true;
  } else if (errno == EINTR) {
    drained_ = false;
  } else if (errno != EAGAIN) {
    errno_ = errno;
  }
}

void TlsSession::begin() {
  forget_errors();
  drained_ = false;
  in_ = kept_in_;
}

void TlsSession::keep_unread() {
  if (in_.empty()) {
    if (!kept_in_.empty()) std::string().swap(kept_in_);
  } else if (in_.size() < kept_in_.size() || in_.data() != kept_in_.data()) {
    kept_in_ = std::string(in_);
  }
  in_ = {};
}

IoStatus TlsSession::handshake() {
  begin();
  const bool all_sent = kept_out_.empty();
  const int rc = SSL_do_handshake(ssl_.get());
  IoStatus status = IoStatus::done;
  if (rc == 1) {
    established_ = true;
    // In TLS 1.3 the client has the last word, and what a server has left to say is a ticket.
    ticket_waits_ = all_sent && SSL_is_server(ssl_.get()) == 1 && SSL_version(ssl_.get()) == TLS1_3_VERSION;
    if (ticket_waits_ && in_.empty()) {
      // A client without TCP_NODELAY holds its request until its Finished is acknowledged: nothing of ours carries
      // that.
      const int now = 1;
      ::setsockopt(fd_, IPPROTO_TCP, TCP_QUICKACK, &now, sizeof now);
    }
  } else if (SSL_get_error(ssl_.get(), rc) == SSL_ERROR_WANT_READ && !eof_ && errno_ == 0) {
    status = IoStatus::waiting;
  } else {
    status = failed();
  }
  keep_unread();
  return status;
}

TlsSession::Read TlsSession::read(std::span<char> to) {
  begin();
  Read result{0, IoStatus::done};
  while (result.octets < to.size()) {
    size_t n = 0;
    if (SSL_read_ex(ssl_.get(), to.data() + result.octets, to.size() - result.octets, &n) == 1) {
      result.octets += n;
      // Nothing more at hand: spare the call that would only say so.
      if (in_.empty() && drained_ && !eof_ && SSL_pending(ssl_.get()) == 0) {
        result.status = IoStatus::waiting;
        break;
      }
      continue;
    }
    const int error = SSL_get_error(ssl_.get(), 0);
    if (error == SSL_ERROR_ZERO_RETURN) {
      result.status = IoStatus::ended;
    } else if (error == SSL_ERROR_WANT_READ && !eof_ && errno_ == 0) {
      result.status = IoStatus::waiting;
    } else {
      result.status = failed();
    }
    break;
  }
  keep_unread();
  return result;
}

IoStatus TlsSession::failed() {
  if (errno_ != 0) return broken_transport(std::strerror(errno_));
  if (eof_ && in_.empty()) {
    ERR_clear_error();
    return broken_transport(established_ ? "peer ended without close_notify: what it sent may be cut short"
                                         : "peer hung up during the TLS handshake");
  }
  error_ = tls_reason(ssl_.get());
  ended_ = true; // after a fatal error OpenSSL must not be asked for close_notify
  return IoStatus::broken;
}

IoStatus TlsSession::broken_transport(std::string what) {
  error_ = std::move(what);
  transport_failed_ = true;
  ended_ = true;
  return IoStatus::broken;
}

bool TlsSession::encrypt_one(OutputQueue& queue, size_t most) {
  auto& record = buffers().record;
  std::string_view from = queue.front();
  if (from.size() < most && !queue.only_one()) {
    from = {record.data(), queue.copy_front(record.data(), most)};
  } else {
    from = from.substr(0, most);
  }
  size_t n = 0;
  if (SSL_write_ex(ssl_.get(), from.data(), from.size(), &n) != 1) return false;
  queue.consume(n);
  return true;
}

IoStatus TlsSession::flush(OutputQueue& queue, MonoTime now) {
  if (ticket_waits_ && queue.empty() && !ending_ && !ended_) return IoStatus::done;
  ticket_waits_ = false;
  std::string& wire = buffers().wire;
  forget_errors();
  for (;;) {
    wire.assign(kept_out_);
    std::string().swap(kept_out_);
    if (established_ && !ended_) {
      sink_ = &wire;
      bool ok = true;
      while (ok && !queue.empty() && wire.size() < kBatchBytes) {
        const bool rested = now - sent_at_ >= kRest;
        ok = encrypt_one(queue, rested ? kFirstRecordBytes : kRecordBytes);
        sent_at_ = now;
      }
      if (ok && ending_ && queue.empty()) end();
      sink_ = &kept_out_;
      if (!ok) return failed();
    }
    if (wire.empty()) return IoStatus::done;

    const ssize_t n = ::send(fd_, wire.data(), wire.size(), MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return broken_transport(std::strerror(errno));
    const size_t sent = n < 0 ? 0 : static_cast<size_t>(n);
    if (sent < wire.size()) {
      kept_out_.assign(wire, sent);
      return IoStatus::waiting;
    }
    if (queue.empty() || !established_ || ended_) return IoStatus::done;
  }
}

void TlsSession::end() {
  ended_ = true;
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

const TlsInfo& TlsSession::info() {
  if (!info_) {
    info_ = std::make_unique<TlsInfo>();
    fill_tls_info(ssl_.get(), *info_);
  }
  return *info_;
}

} // namespace verge::net
