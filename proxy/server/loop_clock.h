// The time as the rooms of one loop see it: that of the loop's turn, so that a request asks the system for it once at
// most. How long something took is measured for itself.
#pragma once

#include "proxy/base/clock.h"
#include "proxy/net/event_loop.h"

namespace verge::server {

// Loop thread only.
class LoopClock final : public Clock {
 public:
  explicit LoopClock(const net::EventLoop& loop) : loop_(loop) {}
  WallTime wall() const noexcept override { return loop_.wall(); }
  MonoTime mono() const noexcept override { return loop_.mono(); }
  uint64_t micros() const noexcept override { return loop_.clock().micros(); }

 private:
  const net::EventLoop& loop_;
};

} // namespace verge::server
