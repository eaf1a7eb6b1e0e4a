// Waiting: requests that are left open until what they ask for is so, or their time is over. Control loop only.
#pragma once

#include <functional>
#include <list>

#include "proxy/base/clock.h"
#include "proxy/control/small_exchange.h"
#include "proxy/net/event_loop.h"

namespace verge::control {

class Waiting {
 public:
  static constexpr size_t kMost = 1'000; // one more is answered at once
  explicit Waiting(net::EventLoop& loop);
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  // Answers with `reply` when `ready`, or after `most`; at once if that is so now. `ready` is asked ten times a second,
  // since it may become true by time alone, and whenever look() is called.
  using Ready = std::function<bool()>;
  using MakeReply = std::function<Reply()>;
  void add(Millis most, Ready ready, MakeReply reply, SmallExchange::Answer done);
  void look();

 private:
  struct One {
    MonoTime until{};
    Ready ready;
    MakeReply reply;
    SmallExchange::Answer done;
  };
  net::EventLoop& loop_;
  std::list<One> all_;
  net::Timer tick_;
};

} // namespace verge::control
