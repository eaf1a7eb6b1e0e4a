// Alarms over the loop's timer wheel.
#pragma once

#include <memory>
#include <utility>

#include "proxy/net/event_loop.h"
#include "proxy/pipeline/services.h"

namespace verge::server {

class LoopAlarms final : public pipeline::Alarms {
 public:
  explicit LoopAlarms(net::EventLoop& loop) : loop_(loop) {}
  std::unique_ptr<pipeline::Alarm> after(Millis delay, Task task) override {
    return std::make_unique<OneShot>(loop_, delay, std::move(task));
  }

 private:
  class OneShot final : public pipeline::Alarm {
   public:
    OneShot(net::EventLoop& loop, Millis delay, Task task) : timer_(loop, std::move(task)) { timer_.start(delay); }

   private:
    net::Timer timer_;
  };
  net::EventLoop& loop_;
};

} // namespace verge::server
