// An HttpClient in front of a scripted origin.
#pragma once

#include "origin/pool/http_client.h"
#include "tests/origin/support/loop_harness.h"
#include "tests/origin/support/scripted_origin.h"

namespace verge::origin {

inline constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
inline constexpr std::string_view kEmpty = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

class HttpClientTest : public LoopHarness {
 protected:
  ~HttpClientTest() override {
    client_.reset();
    settle();
  }
  void connect_to(uint16_t port, uint32_t connections = 8) {
    client_ = std::make_unique<HttpClient>(context(), HttpEndpoint{false, "127.0.0.1", port}, nullptr, timeouts_,
                                           connections, "api");
  }
  static http::RequestHead head(std::string method, std::string path = "/") {
    http::RequestHead h;
    h.method = std::move(method);
    h.scheme = "http";
    h.authority = "api.example.com";
    h.path = std::move(path);
    return h;
  }
  static http::RequestHead with_body(std::string method, std::optional<uint64_t> length) {
    http::RequestHead h = head(std::move(method));
    h.has_body = true;
    h.content_length = length;
    return h;
  }
  // One request from beginning to end.
  RecordingSink ask(http::RequestHead h) {
    RecordingSink sink;
    const auto fetch = client_->fetch(std::move(h), sink);
    EXPECT_TRUE(run_until_over(sink));
    settle();
    return sink;
  }
  RecordingSink ask() { return ask(head("GET")); }
  // One GET that is answered by `response`, after which the origin closes.
  RecordingSink answered_with(std::string response) {
    ScriptedOrigin origin({[&](Peer& p) {
      p.answer(response);
      p.finish_sending();
      p.read_to_end();
    }});
    connect_to(origin.port());
    RecordingSink sink = ask();
    client_.reset();
    settle();
    return sink;
  }

  config::Timeouts timeouts_;
  std::unique_ptr<HttpClient> client_;
};

} // namespace verge::origin
