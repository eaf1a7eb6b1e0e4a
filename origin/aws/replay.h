// Replay: hands a whole answer, held in memory, to a FetchSink in pieces, as if it came from a wire.
#pragma once

#include <memory>
#include <string>

#include "origin/origin.h"
#include "proxy/http/message.h"
#include "proxy/net/event_loop.h"

namespace verge::origin::aws {

// Loop thread only. Destroying it ends the events. Every event comes from a later turn of the loop, so answer() and
// fail() may be called inside Origin::fetch(). The sink may destroy the Replay in any of its callbacks.
class Replay {
 public:
  Replay(net::EventLoop& loop, FetchSink& sink);
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;
  ~Replay();

  // One of these, once.
  void answer(http::ResponseHead head, std::string body);
  void fail(Error error);

  void pause() noexcept;
  void resume();

 private:
  struct State;
  static void post(net::EventLoop& loop, const std::shared_ptr<State>& state);
  static void run(State& state);
  net::EventLoop& loop_;
  std::shared_ptr<State> state_;
};

// A Fetch whose answer is known before anything is asked.
class ReplayFetch final : public Fetch {
 public:
  ReplayFetch(net::EventLoop& loop, FetchSink& sink) : replay_(loop, sink) {}
  Replay& replay() noexcept { return replay_; }
  void pause() override { replay_.pause(); }
  void resume() override { replay_.resume(); }
  bool send_body(std::string_view) override { return true; } // nobody reads it
  void end_body() override {}

 private:
  Replay replay_;
};

} // namespace verge::origin::aws
