#include "proxy/net/timer_wheel.h"

#include <algorithm>

namespace verge::net {

namespace {

constexpr timeval kTick{0, 100'000};

int64_t floor_tick(MonoTime at) noexcept { return at.time_since_epoch() / TimerWheel::kStep; }
int64_t ceil_tick(MonoTime at) noexcept { return floor_tick(at + TimerWheel::kStep - Millis(1)); }

} // namespace

TimerWheel::TimerWheel(EventLoop& loop, event_base* base) noexcept : loop_(loop) {
  event_assign(&tick_event_, base, -1, EV_PERSIST, on_tick, this);
}

TimerWheel::~TimerWheel() { event_del(&tick_event_); }

void TimerWheel::add(Timer& timer, Millis after) noexcept {
  const MonoTime now = loop_.mono();
  if (!ticking_) {
    ticking_ = event_add(&tick_event_, &kTick) == 0;
    done_tick_ = floor_tick(now);
  }
  const int64_t due = ceil_tick(now + std::max(after, Millis(0)));
  // A later time than the one it waits for in its slot is only noted: collect() moves it when its slot's turn comes. So
  // a timer that is started anew with every request costs a store.
  const bool in_slot = timer.linked() && timer.due_tick_ > done_tick_;
  const bool later = due >= timer.due_tick_;
  timer.due_tick_ = due;
  if (in_slot && later) return;
  timer.link_before(timer.due_tick_ <= done_tick_ ? due_ : slots_[static_cast<size_t>(timer.due_tick_ % kSlots)]);
}

void TimerWheel::look(MonoTime now) {
  if (!ticking_) return;
  const int64_t now_tick = floor_tick(now);
  // A clock that leapt over a whole round makes every slot due for a look, once.
  const int64_t first = std::max(done_tick_ + 1, now_tick - kSlots + 1);
  for (int64_t tick = first; tick <= now_tick; ++tick) collect(slots_[static_cast<size_t>(tick % kSlots)], now_tick);
  done_tick_ = std::max(done_tick_, now_tick);

  // A private ring: timers that fire() starts anew with no delay wait for the next look. Those it stops leave by
  // themselves.
  ListLink firing;
  firing.take_all(due_);
  while (firing.linked()) static_cast<Timer*>(firing.next())->fire();
}

void TimerWheel::collect(ListLink& slot, int64_t tick) noexcept {
  for (ListLink* link = slot.next(); link != &slot;) {
    auto* timer = static_cast<Timer*>(link);
    link = link->next();
    if (timer->due_tick_ > tick) { // a later round, or started anew since
      ListLink& own = slots_[static_cast<size_t>(timer->due_tick_ % kSlots)];
      if (&own != &slot) timer->link_before(own);
      continue;
    }
    // Almost always the last place; earlier only when the clock leapt over a round.
    ListLink* at = &due_;
    while (at->prev() != &due_ && static_cast<Timer*>(at->prev())->due_tick_ > timer->due_tick_) at = at->prev();
    timer->link_before(*at);
  }
}

bool TimerWheel::any() noexcept {
  if (due_.linked()) return true;
  return std::ranges::any_of(slots_, [](const ListLink& slot) { return slot.linked(); });
}

void TimerWheel::on_tick(evutil_socket_t, short, void* self) noexcept {
  auto& wheel = *static_cast<TimerWheel*>(self);
  wheel.look(wheel.loop_.mono());
  if (!wheel.any()) {
    event_del(&wheel.tick_event_);
    wheel.ticking_ = false;
  }
}

} // namespace verge::net
