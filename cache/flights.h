// Flights: which keys are being fetched right now, so that concurrent misses of one key share one Fetch; and which keys
// proved uncacheable lately, so that nobody queues for those.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "cache/entry/entry.h"
#include "proxy/base/clock.h"

namespace verge::cache {

// Thread-safe.
class Flights {
 public:
  // A key found uncacheable is remembered for `memory`, at most kMostUncacheable keys in all. When that has passed, the
  // next request finds out anew while those beside it still go alone, so that they don't queue for it; the mark is
  // forgotten when nobody has asked for kForgetAfter times `memory`.
  Flights(const Clock& clock, Millis memory) : clock_(clock), memory_(memory) {}
  static constexpr size_t kMostUncacheable = 65'536;
  static constexpr int kForgetAfter = 6;

  enum class Role : uint8_t {
    follow, // `entry` is somebody else's
    lead,   // `entry` is new and in the table: end() it
    alone,  // `entry` is new and nobody's but the caller's
  };
  struct Joined {
    Role role;
    EntryRef entry;
    MonoTime uncacheable_until{}; // alone: how long others will be as well
  };
  // `joinable` judges the Entry that flies already, `make` makes a new one; both are called with a shard's mutex held.
  template <class Joinable, class Make>
  Joined join(std::string_view key, const Joinable& joinable, const Make& make) {
    Shard& s = shard(key);
    EntryRef replaced; // released after the mutex
    std::lock_guard lock(s.mutex);
    if (const auto until = s.uncacheable_until(hash(key), clock_.mono(), memory_)) return {Role::alone, make(), *until};
    const auto it = s.flying.find(key);
    if (it == s.flying.end()) return {Role::lead, s.flying.emplace(std::string(key), make()).first->second};
    if (joinable(*it->second)) return {Role::follow, it->second};
    replaced = std::exchange(it->second, make());
    return {Role::lead, it->second};
  }
  // The Entry that flies, if `joinable`; null else.
  template <class Joinable>
  EntryRef find(std::string_view key, const Joinable& joinable) {
    Shard& s = shard(key);
    std::lock_guard lock(s.mutex);
    const auto it = s.flying.find(key);
    return it != s.flying.end() && joinable(*it->second) ? it->second : nullptr;
  }
  // Puts `by` in `entry`'s place. False: another has taken it, or it was taken out.
  bool replace(std::string_view key, const Entry* entry, EntryRef by);
  // Takes `entry` out, unless another has taken its place.
  void end(std::string_view key, const Entry* entry);

  // `known`: until when it is remembered already, as the caller knows; then that may be enough.
  void remember_uncacheable(std::string_view key, MonoTime known = {});
  void forget_uncacheable(std::string_view key);
  // Until when join() gives every caller an Entry of its own; none: it does not.
  std::optional<MonoTime> knows_uncacheable(std::string_view key) const;
  size_t size() const;
  // The lowest seq of those under way, at most `most`.
  uint64_t oldest(uint64_t most) const;
  void clear();

 private:
  static size_t hash(std::string_view key) noexcept;
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view key) const noexcept { return hash(key); }
  };
  struct Mark {
    size_t hash;
    MonoTime until;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::string, EntryRef, Hash, std::equal_to<>> flying;
    // By hash: two keys that share one cost a collapse, nothing more.
    std::unordered_map<size_t, MonoTime> uncacheable;
    std::deque<Mark> marks; // the same in order of time; those since replaced or forgotten are passed over
    std::optional<MonoTime> uncacheable_until(size_t key_hash, MonoTime now, Millis memory);
    void drop_oldest_mark();
  };
  static constexpr size_t kShards = 16;
  static size_t index(size_t key_hash) noexcept { return (key_hash >> 32) % kShards; }
  Shard& shard(std::string_view key) { return shards_[index(hash(key))]; }

  const Clock& clock_;
  Millis memory_;
  std::array<Shard, kShards> shards_;
};

} // namespace verge::cache
