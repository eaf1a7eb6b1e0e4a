// Changes: how often something was put under a key, or taken from it, in memory or on disk; counted for groups of keys.
// Who has looked a key up may hold on to what he found, or that he found nothing, as long as the count of its group is
// what it was BEFORE he looked. So whoever stores counts when it can be found: in the RAM tier under the shard's mutex,
// on disk after the commit.
#pragma once

#include <xxhash.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace verge::cache {

// A key, and the count of its group before it is looked for.
struct Sought {
  uint64_t hash = 0;
  uint64_t changes = UINT64_MAX; // never counted to
  bool operator==(const Sought&) const = default;
};

// Thread-safe.
class Changes {
 public:
  // `seed`: nobody outside may know it, so that nobody can make keys that collide. Two that do cost each other's hits,
  // nothing more: what answers is compared with its whole key.
  explicit Changes(uint64_t seed) : seed_(seed) {}

  uint64_t hash(std::string_view text) const noexcept { return XXH3_64bits_withSeed(text.data(), text.size(), seed_); }
  Sought seek(std::string_view key) const noexcept {
    const uint64_t h = hash(key);
    return {h, of(h)};
  }
  uint64_t of(uint64_t hash) const noexcept { return counts_[hash % kGroups].load(std::memory_order_acquire); }
  void note(uint64_t hash) noexcept { counts_[hash % kGroups].fetch_add(1, std::memory_order_release); }

 private:
  static constexpr size_t kGroups = 4'096;
  const uint64_t seed_;
  std::array<std::atomic<uint64_t>, kGroups> counts_{};
};

} // namespace verge::cache
