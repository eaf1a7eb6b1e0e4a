// NowAndThen: says a thing at most once in a while, so that a fault that hits every request does not fill the log.
#pragma once

#include <optional>

#include "proxy/base/clock.h"

namespace verge::origin::aws {

class NowAndThen {
 public:
  explicit NowAndThen(Millis interval) noexcept : interval_(interval) {}
  bool due(MonoTime now) noexcept {
    if (last_ && now - *last_ < interval_) return false;
    last_ = now;
    return true;
  }

 private:
  Millis interval_;
  std::optional<MonoTime> last_;
};

} // namespace verge::origin::aws
