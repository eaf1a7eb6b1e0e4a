// HttpExchange: one request and its response over HTTP/1.1, from its place in the pool's line to the last octet.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "origin/origin.h"
#include "origin/pool/http_link.h"
#include "origin/pool/http_pool.h"
#include "proxy/base/pool.h"
#include "proxy/http/h1_reader.h"
#include "proxy/http/h1_writer.h"

namespace verge::origin {

// Loop thread only. Held by the HttpFetch that the caller owns; each entry from the loop holds it once more, so that a
// sink callback may destroy the HttpFetch. Whatever comes later finds the phase `done` and does nothing.
class HttpExchange final : public std::enable_shared_from_this<HttpExchange>, private HttpLink::User {
 public:
  HttpExchange(std::shared_ptr<HttpPool> pool, http::RequestHead&& head, FetchSink& sink, uint64_t max_body);
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;
  ~HttpExchange();

  void start();
  void cancel(); // the sink hears nothing from now on
  void pause();
  void resume();
  bool send_body(std::string_view octets);
  void end_body();

  // From the pool: a connection that rested, or the right to make one.
  void use_link(std::unique_ptr<HttpLink> link);
  void open_link();

 private:
  enum class Phase : uint8_t { in_line, resolving, connecting, running, done };

  void on_link_open() override;
  void on_link_input() override;
  void on_link_writable() override;
  void on_link_flushed() override;
  void on_link_closed(const Error& error) override;

  void on_addresses(Result<std::vector<std::string>> found);
  void connect_next();
  void send_request();
  void write_body(std::string_view octets);
  void watch_sending();
  bool request_sent() const noexcept;
  void request_flushed();
  void tell_writable();

  void pump(); // takes what the connection holds; the sink's callbacks happen in here
  bool take_head();
  void interim_over();
  void link_ended(); // the origin closed its side
  void complete();
  bool may_send_again() const noexcept;
  void send_again();

  void on_phase_timeout();
  void fail_later(Error error); // for calls from outside, where the sink must hear nothing
  void fail(Error error);
  void fail_as_broken(Error error); // of the connection
  void fail(Errc code, std::string_view what);
  std::string where() const;
  void release(bool keep);

  std::shared_ptr<HttpPool> pool_;
  FetchSink* sink_;
  const std::string method_;
  const bool has_body_;
  const std::optional<uint64_t> content_length_; // of the request
  const http::Framing framing_;
  std::string text_; // the request's head as it goes out, and once more if it is asked again
  const uint64_t max_body_;
  Phase phase_ = Phase::in_line;
  std::unique_ptr<HttpLink> link_; // while connecting and running
  std::vector<std::string> addresses_;
  size_t tried_ = 0;

  std::string pending_body_; // given before there was a connection
  uint64_t body_octets_ = 0;
  bool request_ended_;           // all of it was given to the connection (or pending_body_)
  bool stopped_sending_ = false; // the answer came first
  bool want_writable_ = false;
  uint64_t written_ = 0; // by the connection, when last looked at

  http::H1ResponseReader reader_;
  bool heard_ = false;     // an octet of any response came on this connection
  bool answering_ = false; // in the middle of a response (an interim one ends that)
  bool interim_ = false;
  bool head_done_ = false;
  bool eof_ = false;
  bool paused_ = false;
  std::optional<Error> broken_; // the connection ended while paused

  net::Timer head_timer_;
  net::Timer phase_timer_;
};

// What the caller of HttpClient::fetch() holds.
class HttpFetch final : public Fetch, public pool::Pooled {
 public:
  explicit HttpFetch(std::shared_ptr<HttpExchange> exchange) : exchange_(std::move(exchange)) {}
  ~HttpFetch() override { exchange_->cancel(); }
  void pause() override { exchange_->pause(); }
  void resume() override { exchange_->resume(); }
  bool send_body(std::string_view octets) override { return exchange_->send_body(octets); }
  void end_body() override { exchange_->end_body(); }

 private:
  std::shared_ptr<HttpExchange> exchange_;
};

} // namespace verge::origin
