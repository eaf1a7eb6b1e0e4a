// H1Adapter: HTTP/1.1 on one connection: one exchange at a time, in order; pipelined requests wait in the input buffer.
#pragma once

#include <memory>

#include "proxy/http/h1_reader.h"
#include "proxy/http/h1_writer.h"
#include "proxy/server/protocol.h"

namespace verge::server {

class H1Adapter final : public Protocol, public http::ClientStream {
 public:
  H1Adapter(net::Connection& connection, const pipeline::Connected& client,
            std::shared_ptr<const ConnectionSettings> settings);
  ~H1Adapter() override;

  void on_input() override;
  void on_writable() override;
  void on_flushed() override;
  void on_closed() override;
  void drain() override;

  void send_interim(const http::ResponseHead& head) override;
  void send_head(const http::ResponseOut& head) override;
  void send_body(Slice slice) override;
  void send_end() override;
  void abort() override;
  size_t queued() const noexcept override;
  void body_consumed(size_t n) override;
  void want_body() override;
  void close_after() override { keep_alive_ = false; }
  std::string_view remote_address() const noexcept override { return connection_.remote_address(); }

 private:
  enum class Waiting : uint8_t { head, idle, body, client, nothing }; // for what the timer runs

  void process();
  void on_head();
  bool answer_ready();
  void refuse(const Error& error);
  void response_ended();
  void finish_exchange();
  void close();
  void watch_closing();
  void watch(); // sets the timer to what we wait for now
  Millis idle_for() const noexcept;
  void on_timer();

  net::Connection& connection_;
  const pipeline::Connected& client_;
  std::shared_ptr<const ConnectionSettings> settings_;
  http::H1RequestReader reader_;
  std::unique_ptr<http::StreamHandler> handler_;
  net::Timer timer_;
  Waiting waiting_ = Waiting::nothing;
  MonoTime idle_since_{};
  uint64_t written_at_watch_ = 0;

  http::Version version_ = http::Version::http11;
  http::Framing framing_ = http::Framing::none;
  uint64_t to_send_ = 0;  // octets left of a response with Content-Length
  size_t unconsumed_ = 0; // request body octets handed over and not given back
  uint64_t drained_ = 0;  // request body octets read after the response ended
  bool request_complete_ = false;
  bool expect_continue_ = false;
  bool head_sent_ = false;
  bool response_complete_ = false;
  bool keep_alive_ = true;
  bool draining_ = false;
  bool processing_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true); // for tasks that may outlive us
  bool closing_ = false; // close or abort was asked for: nothing more is read or written
};

} // namespace verge::server
