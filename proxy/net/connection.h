// Connection: one stream socket, plain or TLS, on one loop. Input is gathered in a buffer that the owner consumes;
// output is a queue of Slices that leave together at the end of the loop's turn (writev, or full TLS records).
//
// Lifetime: owned by a unique_ptr of its user, who destroys it only through EventLoop::defer(), never inside one of its
// callbacks. Loop thread only. No exception leaves it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/block.h"
#include "proxy/base/result.h"
#include "proxy/net/event_loop.h"

namespace verge::net {

class ServerTls; // tls_server.h: contexts by SNI, mTLS
class ClientTls; // tls_client.h: verification toward origins

struct ConnectionOptions {
  size_t input_limit = 65'536;     // octets read ahead of the user; reading pauses there
  size_t output_high = 256 * 1024; // above: writable() is false
  size_t output_low = 64 * 1024;   // on_writable() when falling below this after having been above output_high
};

// How close_after_flush() ends.
enum class Ending : uint8_t {
  drain,  // what the peer still sends is read for a short while, so that it sees the answer and not a reset
  at_once // the peer has said that it sends no more: the socket goes with our last octet, where that is safe
};

// What TLS agreed on. Empty strings when plain.
struct TlsInfo {
  std::string version; // "TLSv1.3"
  std::string cipher;
  std::string alpn; // "h2", "http/1.1" or ""
  std::string sni;  // lower case
  bool resumed = false;
  std::string client_subject; // RFC 2253 subject of a verified client certificate, else ""
  std::string client_issuer;
  std::string client_serial;      // hex
  std::string client_fingerprint; // SHA-256, hex
  std::string client_cert_pem;
  std::string client_not_before; // "May 28 12:30:02 2019 GMT"
  std::string client_not_after;
};

class Connection {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void on_open(Connection&) = 0;     // TCP (and TLS) established; not called for a plain accepted socket
    virtual void on_input(Connection&) = 0;    // more in input(), or peer_closed() became true
    virtual void on_writable(Connection&) = 0; // output fell below the low mark
    virtual void on_flushed(Connection&) = 0;  // output queue became empty
    // Broken, refused, timed out at connect, or close_after_flush() done (error.code closed). The last callback.
    virtual void on_closed(Connection&, const Error& error) = 0;
  };

  // An accepted socket (non-blocking, with a Listener's options; taken over). Time limits for the handshake and for a
  // peer that takes nothing are the owner's: abort(). `tls` null: plain. `handler` outlives the Connection.
  static std::unique_ptr<Connection> accepted(EventLoop& loop, int fd, std::string remote_address, uint16_t remote_port,
                                              const std::shared_ptr<ServerTls>& tls, const ConnectionOptions& options,
                                              Handler& handler);
  // Connects to `address` ("10.0.3.7" or "::1", numeric; resolver.h resolves names) or a unix path. on_open or
  // on_closed follows, never inside this call. `tls` null: plain; `server_name` is what SNI says and the certificate
  // is checked against.
  static std::unique_ptr<Connection> connect(EventLoop& loop, std::string address, uint16_t port, Millis timeout,
                                             const std::shared_ptr<ClientTls>& tls, std::string server_name,
                                             const ConnectionOptions& options, Handler& handler);
  virtual ~Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Octets received and not yet consumed. The view is valid until consume(), or until the callback in which it was
  // asked for returns.
  virtual std::string_view input() const noexcept = 0;
  virtual void consume(size_t n) noexcept = 0;
  // The peer ended its side cleanly (TCP FIN; with TLS only after close_notify, else the connection is broken).
  virtual bool peer_closed() const noexcept = 0;

  virtual void write(Slice slice) = 0;
  virtual void write(std::string_view octets) = 0; // copied; small writes share a Block
  // Sends what is queued now and not at the end of the turn: for an answer that is whole, while its memory and its
  // socket's are near the processor. on_flushed may come inside.
  virtual void send_now() = 0;
  virtual size_t output_size() const noexcept = 0; // octets not yet taken by the kernel
  bool writable() const noexcept { return output_size() < options_.output_high; }

  // Reading stops while any of the reasons holds. Reasons are bits of the user's choice.
  virtual void pause_read(uint32_t reason) = 0;
  virtual void resume_read(uint32_t reason) = 0; // on_input follows from the loop if input is waiting

  // Sends what is queued, then FIN (close_notify with TLS), drains as `ending` says, then on_closed.
  virtual void close_after_flush(Ending ending) = 0;
  void close_after_flush() { close_after_flush(Ending::drain); }
  // Drops the output and resets; on_closed follows from the loop.
  virtual void abort() = 0;

  virtual const TlsInfo* tls() const noexcept = 0; // null: plain, or handshake not finished
  const std::string& remote_address() const noexcept { return remote_address_; }
  uint16_t remote_port() const noexcept { return remote_port_; }
  EventLoop& loop() noexcept { return loop_; }
  virtual uint64_t bytes_read() const noexcept = 0;
  virtual uint64_t bytes_written() const noexcept = 0;

 protected:
  Connection(EventLoop& loop, std::string remote_address, uint16_t remote_port, const ConnectionOptions& options)
      : loop_(loop), remote_address_(std::move(remote_address)), remote_port_(remote_port), options_(options) {}
  EventLoop& loop_;
  std::string remote_address_;
  uint16_t remote_port_;
  ConnectionOptions options_;
};

} // namespace verge::net
