// TlsSession: the TLS of one connection: OpenSSL between the socket and the connection's buffers. OpenSSL reads and
// writes memory here, not the socket: what one recv() brought is decrypted at once, and several records leave with one
// send(). Nothing is held between calls but unfinished records. Loop thread only.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "proxy/base/clock.h"
#include "proxy/base/handle.h"
#include "proxy/base/result.h"
#include "proxy/net/connection.h"
#include "proxy/net/output_queue.h"

namespace verge::net {

enum class IoStatus : uint8_t {
  done,    // all that was asked; more may be there (reading)
  waiting, // the socket has to become readable (writable when flushing) first
  ended,   // the peer ended its side cleanly
  broken   // see last_error()
};

class TlsSession {
 public:
  // Takes `ssl` over; `fd` stays the caller's.
  TlsSession(SSL* ssl, int fd);
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;
  ~TlsSession();

  // Goes on with the handshake as far as the octets at hand allow. done: established. What is to be sent waits for
  // flush(), also when broken: the alert that tells the peer why.
  IoStatus handshake();
  bool established() const noexcept { return established_; }

  struct Read {
    size_t octets = 0;
    IoStatus status = IoStatus::waiting;
  };
  // Decrypts into `to`. One recv() per call in the usual case.
  Read read(std::span<char> to);
  // Received octets wait here that no readiness of the socket will tell of.
  bool pending() const noexcept { return !kept_in_.empty() || SSL_pending(ssl_.get()) > 0; }

  // Sends what waits here, then what `queue` holds (once established), in full records and few writes; the first record
  // after a rest is short, so that the peer can read it as soon as three packets are there. done: all sent, but a
  // ticket for the client, which waits for the first answer to leave with it in one write.
  IoStatus flush(OutputQueue& queue, MonoTime now);
  size_t unsent() const noexcept { return ticket_waits_ ? 0 : kept_out_.size(); }
  // Has flush() put close_notify behind the last of the output, in one write. Call flush() afterwards in any case.
  void end_after_output() noexcept { ending_ = true; }

  // The cause of `broken`, for the log: "certificate verify failed: ...".
  const std::string& last_error() const noexcept { return error_; }
  // True when last_error() is the peer's way of ending or the socket's failure, not TLS saying no.
  bool transport_failed() const noexcept { return transport_failed_; }
  const TlsInfo& info();

 private:
  static BIO_METHOD* bio_method();
  static int bio_read(BIO* bio, char* to, int size);
  static int bio_write(BIO* bio, const char* from, int size);
  static long bio_ctrl(BIO* bio, int command, long number, void* pointer);

  void begin();
  void keep_unread();
  void receive() noexcept;
  IoStatus failed();
  IoStatus broken_transport(std::string what);
  bool encrypt_one(OutputQueue& queue, size_t most);
  void end();

  Handle<SSL, SSL_free> ssl_;
  int fd_;
  bool established_ = false;
  bool ticket_waits_ = false;      // kept_out_ holds nothing but a ticket, not worth a write of its own
  bool ending_ = false;            // close_notify is to follow the output
  bool ended_ = false;             // close_notify was made
  bool drained_ = false;           // recv() gave less than was asked: ask again only when told readable
  bool eof_ = false;               // recv() said the peer sent FIN
  bool transport_failed_ = false;  // see transport_failed()
  int errno_ = 0;                  // of recv()
  MonoTime sent_at_{};             // when the last record was made
  std::string_view in_;            // received, not yet taken by OpenSSL: in kept_in_ or in the thread's buffer
  std::string kept_in_;            // received but not wanted yet, between calls
  std::string kept_out_;           // made but not sent yet, between calls
  std::string* sink_ = &kept_out_; // where OpenSSL's output goes
  std::string error_;
  std::unique_ptr<TlsInfo> info_;
};

// Fills what a finished handshake agreed on.
void fill_tls_info(SSL* ssl, TlsInfo& info);
// OpenSSL's reason for the last failure on this thread, in words, and forgets it. `ssl` null: no verification detail.
std::string tls_reason(SSL* ssl);

} // namespace verge::net
