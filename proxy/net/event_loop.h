// EventLoop: one libevent base on one thread. A connection belongs to one loop for life; other threads reach a loop only
// through post().
#pragma once

#include <event2/event.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/executor.h"
#include "proxy/base/handle.h"
#include "proxy/base/result.h"

namespace verge::net {

class TimerWheel;

class EventLoop final : public Executor {
 public:
  // `clock` outlives the loop. Error internal: no base or eventfd could be made (out of descriptors).
  static Result<std::unique_ptr<EventLoop>> create(const Clock& clock);
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop() override;

  // Runs until stop(). The calling thread becomes the loop's thread.
  void run();
  // Ends run() soon. Thread-safe.
  void stop() noexcept;
  void post(Task task) override; // thread-safe; one eventfd write wakes a sleeping loop for any number of tasks
  // Runs `task` when the callbacks of this turn are done: the place to destroy what is being called. Loop thread only.
  void defer(Task task);
  bool on_this_thread() const noexcept;

  event_base* base() noexcept { return base_.get(); }
  // The time at the start of this turn: no clock call on the hot path. Loop thread only.
  WallTime wall() const noexcept { return wall_; }
  MonoTime mono() const noexcept { return mono_; }
  const Clock& clock() const noexcept { return clock_; }

 private:
  friend class Timer;
  explicit EventLoop(const Clock& clock);
  struct Impl;
  const Clock& clock_;
  Handle<event_base, event_base_free> base_;
  WallTime wall_{};
  MonoTime mono_{};
  std::unique_ptr<Impl> impl_; // wheel, mailbox, deferred tasks
};

// A one-shot timer on the loop's coarse wheel (steps of 100 ms, never early): starting, stopping and restarting cost
// a list link, no heap operation. Loop thread only; destroying it stops it. `fire` may destroy or restart the timer.
class Timer {
 public:
  Timer(EventLoop& loop, Task fire);
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer();
  void start(Millis after) noexcept; // restarts when running
  void stop() noexcept;
  bool running() const noexcept;

 private:
  friend class TimerWheel;
  EventLoop& loop_;
  Task fire_;
  Timer* prev_ = nullptr;
  Timer* next_ = nullptr;
  MonoTime due_{};
  bool linked_ = false;
};

} // namespace verge::net
