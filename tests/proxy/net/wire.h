// What the tests of proxy/net share: a loop on the test's own thread, and handlers that note what they are told.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/net/connection.h"
#include "proxy/net/event_loop.h"
#include "proxy/net/listener.h"

namespace verge::net {

// Turns a loop until `done` holds. False: ten seconds went by, the behaviour under test did not come.
template <class Done>
bool run_until(EventLoop& loop, Done done) {
  bool late = false;
  std::mutex mutex;
  std::condition_variable_any end;
  std::jthread watch([&](const std::stop_token& stop) {
    std::unique_lock lock(mutex);
    end.wait_for(lock, stop, std::chrono::seconds(10), [] { return false; });
    if (!stop.stop_requested()) loop.post([&late] { late = true; });
  });
  while (!done() && !late) loop.run_once();
  watch.request_stop();
  return done();
}

inline std::unique_ptr<EventLoop> make_loop(const Clock& clock) {
  auto loop = EventLoop::create(clock);
  EXPECT_TRUE(loop.has_value());
  return std::move(*loop);
}

// Notes all callbacks; keeps what was received unless told to leave it.
struct Notes : Connection::Handler {
  std::string received;
  bool take = true; // consume what comes
  int opened = 0;
  int inputs = 0;
  int writable = 0;
  int flushed = 0;
  bool peer_closed = false;
  std::unique_ptr<Error> closed;
  std::function<void(Connection&)> when_input;
  std::function<void(Connection&)> when_open;
  std::function<void(Connection&)> when_writable;
  std::function<void(Connection&)> when_flushed;

  void on_open(Connection& c) override {
    ++opened;
    if (when_open) when_open(c);
  }
  void on_input(Connection& c) override {
    ++inputs;
    EXPECT_FALSE(closed) << "on_input after on_closed";
    peer_closed = c.peer_closed();
    if (take) {
      received += c.input();
      c.consume(c.input().size());
    }
    if (when_input) when_input(c);
  }
  void on_writable(Connection& c) override {
    ++writable;
    if (when_writable) when_writable(c);
  }
  void on_flushed(Connection& c) override {
    ++flushed;
    if (when_flushed) when_flushed(c);
  }
  void on_closed(Connection&, const Error& error) override {
    EXPECT_FALSE(closed) << "on_closed twice";
    closed = std::make_unique<Error>(error);
  }
};

inline std::pair<int, int> socket_pair() {
  int fds[2] = {-1, -1};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  return {fds[0], fds[1]};
}

} // namespace verge::net
