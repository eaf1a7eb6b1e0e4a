// EventLoop: one libevent base on one thread. A connection belongs to one loop for life; other threads reach a loop
// only through post().
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
#include "proxy/net/list_link.h"

namespace verge::net {

class TimerWheel;

// Something that wants one call at the end of the loop's turn: a Connection that has output to send, so that all it was
// given during the turn leaves in one write. Costs a list link, no allocation. Loop thread only; destroying it
// withdraws the wish.
class TurnHook : private ListLink {
 public:
  virtual ~TurnHook() = default;
  TurnHook(const TurnHook&) = delete;
  TurnHook& operator=(const TurnHook&) = delete;

 protected:
  TurnHook() noexcept = default;
  void withdraw() noexcept { unlink(); } // the wish, if there is one
  // Called once per EventLoop::at_turn_end(). May ask again: the call then comes in a later round.
  virtual void end_of_turn() = 0;

 private:
  friend class EventLoop;
};

class EventLoop final : public Executor {
 public:
  // `clock` outlives the loop. Error internal: no base or eventfd could be made (out of descriptors).
  static Result<std::unique_ptr<EventLoop>> create(const Clock& clock);
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop() override;

  // Runs until stop(). The calling thread becomes the loop's thread.
  void run();
  // One turn of run(): waits until something is ready, calls what is ready, then deferred tasks and hooks. For tests
  // that drive a loop on their own thread, which becomes the loop's thread.
  void run_once();
  // Ends run() soon, or the next run() if none is going. Thread-safe.
  void stop() noexcept;
  void post(Task task) override; // thread-safe; one eventfd write wakes a sleeping loop for any number of tasks
  // Runs `task` when the callbacks of this turn are done: the place to destroy what is being called. Loop thread only.
  void defer(Task task);
  // Has `hook` called at the end of this turn, once however often asked. Loop thread only.
  void at_turn_end(TurnHook& hook) noexcept;
  bool on_this_thread() const noexcept;

  event_base* base() noexcept { return base_.get(); }
  // The time when this turn first asked: no clock call per use on the hot path. Loop thread only.
  WallTime wall() const noexcept {
    if (!fresh_) refresh();
    return wall_;
  }
  MonoTime mono() const noexcept {
    if (!fresh_) refresh();
    return mono_;
  }
  const Clock& clock() const noexcept { return clock_; }

 private:
  friend class Timer;
  explicit EventLoop(const Clock& clock);
  void refresh() const noexcept;
  void turn();
  bool work_waits() const noexcept;
  void finish_turn();
  void run_mailbox();
  static void on_wake(evutil_socket_t, short, void* self) noexcept;

  struct Impl;
  const Clock& clock_;
  Handle<event_base, event_base_free> base_;
  mutable bool fresh_ = false; // false: wall_ and mono_ belong to an earlier turn
  mutable WallTime wall_{};
  mutable MonoTime mono_{};
  std::unique_ptr<Impl> impl_; // wheel, mailbox, deferred tasks
};

// A one-shot timer on the loop's coarse wheel (steps of 100 ms, never early): starting, stopping and restarting cost
// a list link, no heap operation. Compared with Clock::mono() every 100 ms while any timer runs, and after every posted
// task (so that a test moves its clock, posts, and sees them fire). Loop thread only; destroying it stops it. `fire`
// may destroy or restart the timer.
class Timer : private ListLink {
 public:
  Timer(EventLoop& loop, Task fire);
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer();
  void start(Millis after) noexcept; // restarts when running
  void stop() noexcept;
  bool running() const noexcept { return linked(); }

 private:
  friend class TimerWheel;
  void fire();
  EventLoop& loop_;
  Task fire_;
  int64_t due_tick_ = 0;
  bool* destroyed_ = nullptr; // while firing: set by the destructor, for fire() to see
};

} // namespace verge::net
