// SocketConnection: the Connection there is: a non-blocking socket, optionally under TLS, driven by the loop's
// readiness events. Output leaves at the end of the turn; reading stops lazily, when an event comes that nobody wants.
#pragma once

#include <event2/event_struct.h>

#include <memory>
#include <optional>
#include <string>

#include "proxy/net/connection.h"
#include "proxy/net/input_buffer.h"
#include "proxy/net/output_queue.h"
#include "proxy/net/tls_client.h"
#include "proxy/net/tls_server.h"
#include "proxy/net/tls_session.h"

namespace verge::net {

class SocketConnection final : public Connection, private TurnHook {
 public:
  SocketConnection(EventLoop& loop, std::string remote_address, uint16_t remote_port, const ConnectionOptions& options,
                   Handler& handler, Side peer);
  ~SocketConnection() override;

  void start_accepted(int fd, const std::shared_ptr<ServerTls>& tls);
  void start_connect(Millis timeout, const std::shared_ptr<ClientTls>& tls, std::string server_name);

  std::string_view input() const noexcept override { return in_.view(); }
  void consume(size_t n) noexcept override;
  bool peer_closed() const noexcept override { return peer_closed_; }
  void write(Slice slice) override;
  void write(std::string_view octets) override;
  void send_now() override;
  size_t output_size() const noexcept override { return out_.size() + (tls_ ? tls_->unsent() : 0); }
  void pause_read(uint32_t reason) override { paused_ |= reason; }
  void resume_read(uint32_t reason) override;
  void close_after_flush(Ending ending) override;
  void abort() override;
  const TlsInfo* tls() const noexcept override;
  uint64_t bytes_read() const noexcept override { return bytes_read_; }
  uint64_t bytes_written() const noexcept override { return bytes_written_; }

 private:
  enum class State : uint8_t {
    connecting,  // TCP
    handshaking, // TLS
    open,
    closing,  // close_after_flush(): output on its way, input discarded
    draining, // FIN sent, waiting for the peer's
    closed    // no socket any more; on_closed was called or waits for the end of the turn
  };

  static void on_read_event(evutil_socket_t, short, void* self) noexcept;
  static void on_write_event(evutil_socket_t, short, void* self) noexcept;
  void end_of_turn() override;

  // connecting.cc: how it begins
  void open_socket(Millis timeout);
  void adopt(int fd);
  void tcp_connected();
  void begin_tls(ssl_st* ssl);
  void handshake();
  void opened();
  void connect_timed_out();

  // reading
  void receive();
  void deliver();
  void arm_read(bool on);
  bool wants_input() const noexcept { return state_ == State::open && paused_ == 0 && !peer_closed_; }

  // writing
  void queued();
  void flush();
  IoStatus send_plain();
  void arm_write(bool on);

  // ending
  void drain(Error error);
  void discard();
  void broken(Errc code, const std::string& what);
  void close_socket(bool reset) noexcept;
  void closed_now(Error error);
  std::string peer_text() const;
  Retry retry() const noexcept;

  Handler& handler_;
  const Side peer_;
  State state_ = State::open;
  bool peer_closed_ = false;
  bool was_high_ = false;     // output passed output_high: on_writable is owed
  bool flushed_owed_ = false; // something was written since the last on_flushed
  bool deliver_owed_ = false; // on_input is owed from the loop
  bool read_armed_ = false;
  bool write_armed_ = false;
  bool delivering_ = false;
  bool told_closed_ = false;
  bool ends_at_once_ = false; // Ending::at_once
  uint32_t paused_ = 0;
  int fd_ = -1;
  uint64_t bytes_read_ = 0;
  uint64_t bytes_written_ = 0;
  size_t discarded_ = 0;
  InputBuffer in_;
  OutputQueue out_;
  std::shared_ptr<const void> tls_settings_; // ServerTls or ClientTls: outlives the session
  std::unique_ptr<TlsSession> tls_;
  std::unique_ptr<Error> end_; // why it ends, from the moment that is known until on_closed

  // Only while connecting.
  struct Connecting {
    std::shared_ptr<ClientTls> tls;
    std::string server_name;
    Millis timeout{0};
  };
  std::unique_ptr<Connecting> connecting_;
  std::unique_ptr<Timer> timer_; // connect timeout, then the linger limit

  event read_event_{};
  event write_event_{};
};

} // namespace verge::net
