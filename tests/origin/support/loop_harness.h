// What the tests of origins stand on: a loop whose time stands still until a test moves it, driven from the test's own
// thread, and a sink that writes down what it hears.
#pragma once

#include <event2/event.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "origin/origin.h"
#include "proxy/base/clock.h"
#include "proxy/net/event_loop.h"
#include "proxy/net/resolver.h"

namespace verge::origin {

struct RecordingSink final : FetchSink {
  std::vector<http::ResponseHead> interims;
  std::optional<http::ResponseHead> head;
  std::string body;
  bool ended = false;
  std::optional<Error> error;
  int writable = 0;
  int data_calls = 0;
  std::function<void()> at_head, at_data, at_end, at_writable; // run after the event is written down

  void on_interim(http::ResponseHead&& h) override { interims.push_back(std::move(h)); }
  void on_head(http::ResponseHead&& h) override {
    head = std::move(h);
    if (at_head) at_head();
  }
  void on_data(std::string_view octets) override {
    body += octets;
    ++data_calls;
    if (at_data) at_data();
  }
  void on_end() override {
    EXPECT_FALSE(over()) << "on_end after the end";
    ended = true;
    if (at_end) at_end();
  }
  void on_error(Error e) override {
    EXPECT_FALSE(over()) << "on_error after the end";
    error = std::move(e);
  }
  void on_request_writable() override {
    ++writable;
    if (at_writable) at_writable();
  }
  bool over() const { return ended || error.has_value(); }
  std::string field(std::string_view name) const { return head ? head->headers.joined(name) : "(no head)"; }
  std::string error_text() const { return error ? error->what : "(no error)"; }
};

class LoopHarness : public testing::Test {
 protected:
  LoopHarness() : loop_(std::move(*net::EventLoop::create(clock_))), resolver_(net::Resolver::create(clock_)) {
    // Wakes the loop now and then, so that run_until() can give up.
    tick_.reset(event_new(loop_->base(), -1, EV_PERSIST, [](evutil_socket_t, short, void*) {}, nullptr));
    const timeval every{0, 100'000};
    event_add(tick_.get(), &every);
  }
  ~LoopHarness() override { settle(); }

  OriginContext context() { return {*loop_, *resolver_}; }
  // False after 30 s: only for what has gone wrong.
  bool run_until(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) return false;
      loop_->run_once();
    }
    return true;
  }
  bool run_until_over(const RecordingSink& sink) {
    return run_until([&] { return sink.over(); });
  }
  // A few turns: what was posted and deferred is done.
  void settle() {
    for (int i = 0; i < 5; ++i) {
      loop_->post([] {});
      loop_->run_once();
    }
  }
  void advance(Millis by) {
    clock_.advance(by);
    settle();
  }

  static FetchRequest get(std::string path) {
    FetchRequest request;
    request.head.method = "GET";
    request.head.scheme = "https";
    request.head.authority = "www.example.com";
    request.head.path = std::move(path);
    request.client = {.address = "192.0.2.7", .scheme = "https", .host = "www.example.com", .request_id = 1};
    return request;
  }

  ManualClock clock_{WallTime(Millis(1'700'000'000'000))};
  std::unique_ptr<net::EventLoop> loop_;
  std::unique_ptr<net::Resolver> resolver_;
  Handle<event, event_free> tick_;
};

} // namespace verge::origin
