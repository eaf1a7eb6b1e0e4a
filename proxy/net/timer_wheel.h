// TimerWheel: the timers of one loop, hashed by due time into slots of 100 ms. One libevent timer drives it, and only
// while timers exist. Loop thread only.
#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>

#include <array>
#include <cstdint>

#include "proxy/base/clock.h"
#include "proxy/net/event_loop.h"
#include "proxy/net/list_link.h"

namespace verge::net {

class TimerWheel {
 public:
  static constexpr Millis kStep{100};
  static constexpr int64_t kSlots = 512; // 51.2 s a round; longer timers are passed over once a round

  TimerWheel(EventLoop& loop, event_base* base) noexcept;
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;
  ~TimerWheel();

  void add(Timer& timer, Millis after) noexcept;
  // Fires what is due at `now`, in order of due time (to the step).
  void look(MonoTime now);

 private:
  static void on_tick(evutil_socket_t, short, void* self) noexcept;
  bool any() noexcept;
  void collect(ListLink& slot, int64_t tick) noexcept;

  EventLoop& loop_;
  event tick_event_{};
  bool ticking_ = false;
  int64_t done_tick_ = 0; // slots up to this step have been looked at
  std::array<ListLink, kSlots> slots_;
  ListLink due_; // collected and about to fire, or late when added
};

} // namespace verge::net
