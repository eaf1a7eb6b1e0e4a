// Lately: keys that something was found out about and shall be remembered for a while. Loop thread only.
#pragma once

#include <deque>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "proxy/base/clock.h"

namespace verge::pipeline {

class Lately {
 public:
  static constexpr Millis kMemory{60'000};
  static constexpr size_t kMost = 4'096; // keys of one loop; the oldest are forgotten

  void remember(std::string_view key, MonoTime now) {
    const size_t hash = std::hash<std::string_view>{}(key);
    if (!until_.insert_or_assign(hash, now + kMemory).second) return;
    order_.push_back(hash);
    if (order_.size() > kMost) {
      until_.erase(order_.front());
      order_.pop_front();
    }
  }
  // By hash: two keys that share one are taken for one another: that costs a Fetch, nothing more.
  bool knows(std::string_view key, MonoTime now) const {
    if (until_.empty()) return false;
    const auto it = until_.find(std::hash<std::string_view>{}(key));
    return it != until_.end() && now < it->second;
  }

 private:
  std::unordered_map<size_t, MonoTime> until_;
  std::deque<size_t> order_;
};

} // namespace verge::pipeline
