#include "proxy/control/fleet/waiting.h"

#include <vector>

namespace verge::control {
namespace {

constexpr Millis kTick{100};

} // namespace

Waiting::Waiting(net::EventLoop& loop)
    : loop_(loop), tick_(loop, [this] {
        look();
        if (!all_.empty()) tick_.start(kTick);
      }) {}

void Waiting::add(Millis most, Ready ready, MakeReply reply, SmallExchange::Answer done) {
  if (most <= Millis(0) || ready() || all_.size() >= kMost) return done(reply());
  all_.push_back({loop_.mono() + most, std::move(ready), std::move(reply), std::move(done)});
  if (!tick_.running()) tick_.start(kTick);
}

void Waiting::look() {
  std::vector<One> told;
  for (auto it = all_.begin(); it != all_.end();) {
    if (loop_.mono() < it->until && !it->ready()) {
      ++it;
      continue;
    }
    told.push_back(std::move(*it));
    it = all_.erase(it);
  }
  for (auto& one : told) one.done(one.reply());
}

} // namespace verge::control
