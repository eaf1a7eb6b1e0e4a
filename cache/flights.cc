#include "cache/flights.h"

#include <xxhash.h>

#include <algorithm>

namespace verge::cache {

size_t Flights::hash(std::string_view key) noexcept { return XXH3_64bits(key.data(), key.size()); }

void Flights::end(std::string_view key, const Entry* entry) {
  Shard& s = shard(key);
  EntryRef ended; // released after the mutex
  std::lock_guard lock(s.mutex);
  const auto it = s.flying.find(key);
  if (it == s.flying.end() || it->second.get() != entry) return;
  ended = std::move(it->second);
  s.flying.erase(it);
}

bool Flights::replace(std::string_view key, const Entry* entry, EntryRef by) {
  Shard& s = shard(key);
  std::lock_guard lock(s.mutex); // what is replaced leaves in `by`, after the mutex
  const auto it = s.flying.find(key);
  if (it == s.flying.end() || it->second.get() != entry) return false;
  it->second.swap(by);
  return true;
}

void Flights::remember_uncacheable(std::string_view key, MonoTime known) {
  const MonoTime now = clock_.mono();
  if (known >= now + memory_ / 8 * 7) return; // marked a moment ago
  Shard& s = shard(key);
  std::lock_guard lock(s.mutex);
  const Mark mark{hash(key), now + memory_};
  s.uncacheable[mark.hash] = mark.until;
  s.marks.push_back(mark);
  while (s.marks.size() > kMostUncacheable / kShards || s.marks.front().until + (kForgetAfter - 1) * memory_ <= now) {
    s.drop_oldest_mark();
    if (s.marks.empty()) return;
  }
}

void Flights::forget_uncacheable(std::string_view key) {
  Shard& s = shard(key);
  std::lock_guard lock(s.mutex);
  s.uncacheable.erase(hash(key));
}

std::optional<MonoTime> Flights::knows_uncacheable(std::string_view key) const {
  const size_t key_hash = hash(key);
  const Shard& s = shards_[index(key_hash)];
  std::lock_guard lock(s.mutex);
  const auto it = s.uncacheable.find(key_hash);
  return it != s.uncacheable.end() && clock_.mono() < it->second ? std::optional(it->second) : std::nullopt;
}

size_t Flights::size() const {
  size_t n = 0;
  for (const Shard& s : shards_) {
    std::lock_guard lock(s.mutex);
    n += s.flying.size();
  }
  return n;
}

uint64_t Flights::oldest(uint64_t most) const {
  for (const Shard& s : shards_) {
    std::lock_guard lock(s.mutex);
    for (const auto& [key, entry] : s.flying) most = std::min(most, entry->seq());
  }
  return most;
}

void Flights::clear() {
  for (Shard& s : shards_) {
    decltype(s.flying) ended;
    std::lock_guard lock(s.mutex);
    ended.swap(s.flying);
  }
}

std::optional<MonoTime> Flights::Shard::uncacheable_until(size_t key_hash, MonoTime now, Millis memory) {
  const auto it = uncacheable.find(key_hash);
  if (it == uncacheable.end()) return std::nullopt;
  if (now < it->second) return it->second;
  if (now >= it->second + (kForgetAfter - 1) * memory) return std::nullopt;
  // This one asks whether it is still so; until it knows, or the memory has passed again, the others go alone.
  it->second = now + memory;
  marks.push_back({key_hash, it->second});
  return std::nullopt;
}

void Flights::Shard::drop_oldest_mark() {
  const Mark mark = marks.front();
  marks.pop_front();
  const auto it = uncacheable.find(mark.hash);
  if (it != uncacheable.end() && it->second == mark.until) uncacheable.erase(it);
}

} // namespace verge::cache
