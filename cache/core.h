// Core: the parts of the cache that the facade and its Fills share.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>

#include "cache/cache.h"
#include "cache/flights.h"
#include "cache/search_rules.h"
#include "proxy/base/request_id.h"

namespace verge::cache {

// Octets that bodies too large for the RAM tier may hold while they are fetched, all together, so that they come at the
// origin's pace and not at the disk's: a slice, mostly. Thread-safe.
class RamAhead {
 public:
  explicit RamAhead(uint64_t budget) : left_(budget) {}
  // True: `bytes` are taken; give() them back.
  bool take(uint64_t bytes) noexcept {
    uint64_t left = left_.load(std::memory_order_relaxed);
    do {
      if (bytes > left) return false;
    } while (!left_.compare_exchange_weak(left, left - bytes, std::memory_order_relaxed));
    return true;
  }
  void give(uint64_t bytes) noexcept { left_.fetch_add(bytes, std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> left_;
};

struct Core {
  Core(const CacheOptions& o, const Clock& c, std::unique_ptr<Epochs> e, std::unique_ptr<Disk> d)
      : options(o),
        clock(c),
        epochs(std::move(e)),
        disk(std::move(d)),
        ram(o.memory_bytes, o.disk.variants, new_request_id()),
        flights(std::make_shared<Flights>(c, o.uncacheable_memory)),
        largest_in_ram(std::min(o.ram_object_bytes, ram.largest())) {
    if (disk != nullptr) disk->count_in(ram.changes());
  }
  ~Core() { flights->clear(); } // their Entries may hold pins
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  const CacheOptions options;
  const Clock& clock;
  const std::unique_ptr<Epochs> epochs;
  const std::unique_ptr<Disk> disk; // null: RAM only
  RamTier ram;
  SearchRules search;
  const std::shared_ptr<Flights> flights; // posted tasks may outlive us
  const uint64_t largest_in_ram;          // octets of body
  RamAhead ahead{std::min(options.memory_bytes / 8, 4 * options.fill_window_bytes)};
  std::atomic<uint64_t> last_tag_seq{0}; // of the last invalidation by tag

  Verdict verdict(const StoredHead& head) const {
    const Verdict filed = epochs->check(head.key, head.tags, head.seq);
    if (head.url.empty() || filed == Verdict::dead) return filed;
    return std::max(filed, epochs->check(head.url, {}, head.seq)); // a pattern may name its own query
  }
  // The same for an Entry in memory: held against what came since somebody looked last.
  Verdict verdict(Entry& entry) const {
    const uint64_t now = epochs->current(); // before the look: what comes after it is not in what is found
    if (entry.live_at() >= now) return Verdict::live;
    const Verdict found = verdict(entry.settled_head());
    if (found == Verdict::live) entry.found_live(now);
    return found;
  }
  // What a response that is to be stored says of its path's queries.
  void learn_search(const StoredHead& head) {
    if (!head.url.empty()) {
      if (const auto rule = policy::search_rule(head.headers)) search.learn(head.url, *rule, epochs->current());
    } else if (!search.empty() && head.headers.has("no-vary-search")) {
      search.forget(head.key); // the route does not heed it (any more), or it is broken now
    }
  }
};

// The cache over parts that are given: what Cache::open() ends with. `disk` may be null.
std::unique_ptr<Cache> make_cache(const CacheOptions& options, const Clock& clock, std::unique_ptr<Epochs> epochs,
                                  std::unique_ptr<Disk> disk);

} // namespace verge::cache
