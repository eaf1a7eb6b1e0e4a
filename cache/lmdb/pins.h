// Pins: which bodies the writer must leave where they are. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "proxy/base/clock.h"

namespace verge::cache {

class Pins {
 public:
  // How long a body that was found stays, so that its Reader can be made and pin it.
  static constexpr Millis kLease{2'000};

  void pin(uint64_t id) {
    auto& s = shard(id);
    const std::lock_guard lock(s.mutex);
    ++s.held[id].pins;
  }
  // True: that was the last pin.
  bool unpin(uint64_t id) {
    auto& s = shard(id);
    const std::lock_guard lock(s.mutex);
    const auto it = s.held.find(id);
    if (it == s.held.end() || it->second.pins == 0 || --it->second.pins > 0) return false;
    if (it->second.leased_until == MonoTime{} && !it->second.condemned) s.held.erase(it);
    return true;
  }
  // False: the writer is just deleting it, take it for gone.
  bool lease(uint64_t id, MonoTime now) {
    auto& s = shard(id);
    const std::lock_guard lock(s.mutex);
    auto& h = s.held[id];
    if (h.condemned) return false;
    h.leased_until = now + kLease;
    return true;
  }

  // --- the writer's ---
  // True: nobody holds it, and nobody can lease it until absolve(): it may be deleted in this transaction.
  bool condemn(uint64_t id, MonoTime now) {
    auto& s = shard(id);
    const std::lock_guard lock(s.mutex);
    auto& h = s.held[id];
    if (h.pins > 0 || h.leased_until > now) return false;
    h.condemned = true;
    condemned_.push_back(id);
    return true;
  }
  // After the transaction: what it deleted can't be found any more, what it did not is free again.
  void absolve() {
    for (const uint64_t id : condemned_) {
      auto& s = shard(id);
      const std::lock_guard lock(s.mutex);
      const auto it = s.held.find(id);
      if (it == s.held.end()) continue;
      it->second.condemned = false;
      if (it->second.pins == 0) s.held.erase(it);
    }
    condemned_.clear();
  }
  // Forgets leases that have run out.
  void sweep(MonoTime now) {
    for (auto& s : shards_) {
      const std::lock_guard lock(s.mutex);
      for (auto it = s.held.begin(); it != s.held.end();) {
        auto& h = it->second;
        if (h.leased_until <= now) h.leased_until = MonoTime{};
        it = h.pins == 0 && h.leased_until == MonoTime{} && !h.condemned ? s.held.erase(it) : std::next(it);
      }
    }
  }

 private:
  struct Hold {
    uint32_t pins = 0;
    MonoTime leased_until{};
    bool condemned = false;
  };
  struct Shard {
    std::mutex mutex;
    std::unordered_map<uint64_t, Hold> held;
  };
  Shard& shard(uint64_t id) noexcept { return shards_[id % shards_.size()]; }
  std::array<Shard, 16> shards_;
  std::vector<uint64_t> condemned_; // the writer's own
};

} // namespace verge::cache
