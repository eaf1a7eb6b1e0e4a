#include "proxy/net/socket_connection.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>

namespace verge::net {

namespace {

constexpr int kIovecs = 64;
constexpr Millis kLinger{2'000};         // for the peer to take our last octets and say FIN
constexpr size_t kLingerBytes = 262'144; // and this much of its input is thrown away meanwhile
// What leaves in the first ten packets (RFC 6928) is under way when a close finds or meets octets of the peer, and the
// reset that follows takes none of it back.
constexpr uint64_t kFirstFlight = 10 * 1'220;

} // namespace

SocketConnection::SocketConnection(EventLoop& loop, std::string remote_address, uint16_t remote_port,
                                   const ConnectionOptions& options, Handler& handler, Side peer)
    : Connection(loop, std::move(remote_address), remote_port, options), handler_(handler), peer_(peer) {}

SocketConnection::~SocketConnection() { close_socket(false); }

void SocketConnection::on_read_event(evutil_socket_t, short, void* self) noexcept {
  auto& me = *static_cast<SocketConnection*>(self);
  switch (me.state_) {
    case State::handshaking: return me.handshake();
    case State::open:
      if (!me.wants_input()) return me.arm_read(false);
      return me.receive();
    case State::closing:
    case State::draining: return me.discard();
    case State::connecting:
    case State::closed: return me.arm_read(false);
  }
}

void SocketConnection::on_write_event(evutil_socket_t, short, void* self) noexcept {
  auto& me = *static_cast<SocketConnection*>(self);
  if (me.state_ == State::connecting) return me.tcp_connected();
  me.flush();
}

void SocketConnection::end_of_turn() {
  if (state_ == State::closed) {
    if (!told_closed_ && end_) {
      told_closed_ = true;
      const std::unique_ptr<Error> error = std::move(end_);
      handler_.on_closed(*this, *error);
    }
    return;
  }
  if (deliver_owed_) {
    deliver_owed_ = false;
    if (wants_input() && tls_ && tls_->pending()) {
      receive();
    } else if (state_ == State::open && paused_ == 0 && (in_.size() > 0 || peer_closed_)) {
      deliver();
    }
  }
  if (!write_armed_) flush(); // else the kernel is full, and says so when it isn't any more
}

// ---- reading

void SocketConnection::receive() {
  const std::span<char> room = in_.room(options_.input_limit);
  if (room.empty()) return arm_read(false); // until consume() makes room
  size_t got = 0;
  IoStatus status = IoStatus::waiting;
  std::string why;
  Errc code = Errc::closed;
  if (tls_) {
    const TlsSession::Read result = tls_->read(room);
    got = result.octets;
    status = result.status;
    if (status == IoStatus::broken) {
      why = tls_->last_error();
      if (!tls_->transport_failed()) code = Errc::tls;
    }
    if (tls_->unsent() > 0) loop_.at_turn_end(*this); // an answer of TLS itself
  } else {
    const ssize_t n = ::recv(fd_, room.data(), room.size(), 0);
    if (n > 0) {
      got = static_cast<size_t>(n);
    } else if (n == 0) {
      status = IoStatus::ended;
    } else if (errno != EAGAIN && errno != EINTR) {
      status = IoStatus::broken;
      why = std::strerror(errno);
    }
  }
  in_.received(got);
  bytes_read_ += got;
  if (status == IoStatus::ended) {
    peer_closed_ = true;
    arm_read(false);
  }
  if (got > 0 || peer_closed_) {
    deliver();
  } else {
    in_.settle();
  }
  if (status == IoStatus::broken && state_ != State::closed) return broken(code, why);
  // More is at hand than there was room for: no readiness will tell.
  if (tls_ && wants_input() && tls_->pending() && in_.size() < options_.input_limit) {
    deliver_owed_ = true;
    loop_.at_turn_end(*this);
  }
}

void SocketConnection::deliver() {
  delivering_ = true;
  handler_.on_input(*this);
  delivering_ = false;
  in_.settle();
}

void SocketConnection::consume(size_t n) noexcept {
  in_.consume(n);
  if (!delivering_ && in_.size() == 0) in_.settle();
  if (!wants_input() || in_.size() >= options_.input_limit) return;
  arm_read(true);
  if (tls_ && !delivering_ && tls_->pending()) {
    deliver_owed_ = true;
    loop_.at_turn_end(*this);
  }
}

void SocketConnection::resume_read(uint32_t reason) {
  if (paused_ == 0) return;
  paused_ &= ~reason;
  if (paused_ != 0 || state_ != State::open) return;
  if (in_.size() > 0 || peer_closed_ || (tls_ && tls_->pending())) {
    deliver_owed_ = true;
    loop_.at_turn_end(*this);
  }
  if (wants_input() && in_.size() < options_.input_limit) arm_read(true);
}

void SocketConnection::arm_read(bool on) {
  if (read_armed_ == on || fd_ < 0) return;
  read_armed_ = on;
  if (on) {
    event_add(&read_event_, nullptr);
  } else {
    event_del(&read_event_);
  }
}

// ---- writing

void SocketConnection::write(Slice slice) {
  if (state_ >= State::closing) return;
  out_.append(std::move(slice));
  queued();
}

void SocketConnection::write(std::string_view octets) {
  if (state_ >= State::closing) return;
  out_.append(octets);
  queued();
}

void SocketConnection::queued() {
  flushed_owed_ = true;
  if (output_size() >= options_.output_high) was_high_ = true;
  if (!write_armed_) loop_.at_turn_end(*this);
}

void SocketConnection::send_now() {
  if (state_ != State::open || write_armed_ || out_.empty()) return;
  if (!deliver_owed_) withdraw();
  flush();
}

IoStatus SocketConnection::send_plain() {
  while (!out_.empty()) {
    if (out_.only_one()) {
      const std::string_view piece = out_.front();
      const ssize_t n = ::send(fd_, piece.data(), piece.size(), MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno == EAGAIN ? IoStatus::waiting : IoStatus::broken;
      const bool all = static_cast<size_t>(n) == piece.size();
      out_.consume(static_cast<size_t>(n));
      if (!all) return IoStatus::waiting; // the kernel is full
      continue;
    }
    std::array<iovec, kIovecs> pieces;
    const int count = out_.gather(pieces.data(), kIovecs);
    size_t asked = 0;
    for (int i = 0; i < count; ++i) asked += pieces[static_cast<size_t>(i)].iov_len;
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = static_cast<size_t>(count);
    const ssize_t n = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN ? IoStatus::waiting : IoStatus::broken;
    }
    out_.consume(static_cast<size_t>(n));
    if (static_cast<size_t>(n) < asked) return IoStatus::waiting; // the kernel is full
  }
  return IoStatus::done;
}

void SocketConnection::flush() {
  if (state_ == State::closed || state_ == State::connecting) return;
  const size_t before = out_.size();
  errno = 0;
  const IoStatus status = tls_ ? tls_->flush(out_, loop_.mono()) : send_plain();
  bytes_written_ += before - out_.size();
  if (status == IoStatus::broken) {
    const std::string why = tls_ ? tls_->last_error() : std::strerror(errno);
    const Errc code = tls_ && !tls_->transport_failed() ? Errc::tls : Errc::closed;
    out_.clear();
    // The peer may have answered before it hung up: its last words first.
    if (wants_input() && !delivering_) receive();
    if (state_ != State::closed) broken(code, why);
    return;
  }
  arm_write(status == IoStatus::waiting);
  if (state_ == State::closing && status == IoStatus::done)
    return drain({Errc::closed, peer_, Retry::never, peer_text() + ": closed"});
  if (state_ != State::open) return;
  if (was_high_ && output_size() < options_.output_low) {
    was_high_ = false;
    handler_.on_writable(*this);
  }
  if (flushed_owed_ && output_size() == 0 && state_ == State::open) {
    flushed_owed_ = false;
    handler_.on_flushed(*this);
  }
}

void SocketConnection::arm_write(bool on) {
  if (write_armed_ == on || fd_ < 0) return;
  write_armed_ = on;
  if (on) {
    event_add(&write_event_, nullptr);
  } else {
    event_del(&write_event_);
  }
}

// ---- ending

void SocketConnection::close_after_flush(Ending ending) {
  if (state_ >= State::closing) return;
  if (state_ != State::open) return abort(); // nothing was promised yet
  state_ = State::closing;
  ends_at_once_ = ending == Ending::at_once;
  if (tls_) tls_->end_after_output();
  arm_read(!peer_closed_);
  loop_.at_turn_end(*this);
}

void SocketConnection::drain(Error error) {
  if (ends_at_once_ && bytes_written_ <= kFirstFlight) {
    close_socket(false);
    return closed_now(std::move(error));
  }
  ::shutdown(fd_, SHUT_WR);
  arm_write(false);
  if (peer_closed_) {
    close_socket(false);
    return closed_now(std::move(error));
  }
  state_ = State::draining;
  end_ = std::make_unique<Error>(std::move(error));
  timer_ = std::make_unique<Timer>(loop_, [this] {
    close_socket(false);
    closed_now(std::move(*end_));
  });
  timer_->start(kLinger);
  arm_read(true);
}

void SocketConnection::discard() {
  const std::span<char> room = (in_.clear(), in_.room(InputBuffer::kScratchBytes));
  const ssize_t n = ::recv(fd_, room.data(), room.size(), 0);
  in_.clear();
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n > 0) {
    discarded_ += static_cast<size_t>(n);
    if (discarded_ <= kLingerBytes) return;
  } else {
    peer_closed_ = true;
  }
  if (state_ == State::closing) return arm_read(false); // output goes on; an error will show there
  close_socket(false);
  closed_now(std::move(*end_));
}

void SocketConnection::abort() {
  if (state_ == State::closed) return;
  close_socket(true);
  out_.clear();
  state_ = State::closed;
  end_ = std::make_unique<Error>(Error{Errc::closed, Side::self, Retry::never, peer_text() + ": aborted"});
  loop_.at_turn_end(*this);
}

void SocketConnection::broken(Errc code, const std::string& what) {
  const bool begun = state_ != State::connecting && state_ != State::handshaking;
  std::string text = peer_ == Side::client ? "client " : begun ? "origin " : "connect ";
  text += peer_text() + ": " + what;
  Error error{code, code == Errc::internal ? Side::self : peer_, retry(), std::move(text)};
  close_socket(false);
  closed_now(std::move(error));
}

void SocketConnection::close_socket(bool reset) noexcept {
  if (fd_ < 0) return;
  arm_read(false);
  arm_write(false);
  if (reset) {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  ::close(fd_);
  fd_ = -1;
}

void SocketConnection::closed_now(Error error) {
  // Told from the loop's hook, also when the loop itself found out: one path, and never inside the user's own call.
  state_ = State::closed;
  out_.clear();
  if (timer_) timer_->stop();
  end_ = std::make_unique<Error>(std::move(error));
  loop_.at_turn_end(*this);
}

std::string SocketConnection::peer_text() const {
  if (remote_port_ == 0) return remote_address_;
  const bool v6 = remote_address_.find(':') != std::string::npos;
  return (v6 ? "[" + remote_address_ + "]" : remote_address_) + ":" + std::to_string(remote_port_);
}

Retry SocketConnection::retry() const noexcept {
  if (peer_ == Side::client) return Retry::never;
  return bytes_written_ == 0 && (state_ == State::connecting || state_ == State::handshaking) ? Retry::safe
                                                                                              : Retry::if_idempotent;
}

const TlsInfo* SocketConnection::tls() const noexcept { return tls_ && tls_->established() ? &tls_->info() : nullptr; }

} // namespace verge::net
