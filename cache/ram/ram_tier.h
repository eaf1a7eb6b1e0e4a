// RamTier: complete Entries kept in memory by key and variant, sharded. S3-FIFO (Yang et al., SOSP 2023): a small queue
// on trial, a main queue for what was asked for again, a ghost list of hashes of what failed its trial.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "cache/changes.h"
#include "cache/entry/entry.h"
#include "cache/ram/front.h"
#include "proxy/base/clock.h"
#include "proxy/http/headers.h"

namespace verge::cache {

class RamTier {
 public:
  // Up to 16 shards, fewer where one would have less than 8 MiB. At most `variants` of one key. `seed`: see Changes.
  explicit RamTier(uint64_t capacity_bytes, size_t variants = 32, uint64_t seed = 0);
  ~RamTier();
  RamTier(const RamTier&) = delete;
  RamTier& operator=(const RamTier&) = delete;
  // The variant of `key` that `request` selects, the newest if several do; null if none. Thread-safe.
  EntryRef find(std::string_view key, const http::Headers& request);
  // The same; `any`: whether there is any variant of `key` (then a miss is a vary-miss).
  EntryRef find(std::string_view key, const http::Headers& request, bool& any);
  // The same with what this loop found lately, which answers without a lock where the key has one variant and that
  // varies on nothing.
  EntryRef find(std::string_view key, const http::Headers& request, RamFront& front);
  // For who is going to look `key` up in all places, and will remember if it is in none.
  Sought seek(std::string_view key) const noexcept { return changes_->seek(key); }
  // What is stored elsewhere counts here as well: changes()->note() when it can be found.
  const std::shared_ptr<Changes>& changes() const noexcept { return changes_; }
  // `entry` to hold on to, as the one answer to `key` whoever asks. None: it is not, or `front` does not know it (any
  // more).
  std::optional<RamKept> keep(std::string_view key, const EntryRef& entry, RamFront& front) const;
  // Nothing was put under or taken from its key since.
  bool still(const RamKept& kept) const noexcept { return changes_->of(kept.hash) == kept.changes; }
  // Every variant of `key`, without counting as a use; and every Entry there is. For people who look at the store.
  std::vector<EntryRef> variants(std::string_view key) const;
  void each(const std::function<void(const EntryRef&)>& f) const; // `f` runs without a lock
  // The same a few at a time: those that lie between `at` and where it ends up. False: it has been everywhere. What
  // moves meanwhile may be missed, or met twice.
  struct Walk {
    size_t shard = 0, bucket = 0, buckets = 0;
  };
  bool walk(Walk& at, std::vector<EntryRef>& out) const;
  // True if there is any variant of `key`.
  bool has_any(std::string_view key) const;
  // Puts a complete Entry with all Blocks in; replaces the same variant. Where the key has too many the one least asked
  // for goes. Refuses (false) what is larger than an eighth
  // of a shard.
  bool put(const EntryRef& entry);
  // The same, but refuses if that variant is there already: for what comes from disk and may be the older one.
  bool put_if_absent(const EntryRef& entry);
  // Is `entry`, just read from disk, to be put? Yes where nothing has to go for it, and when it is asked for again
  // while that is remembered: a trial that it has stood on disk. So a set much larger than memory does not run through
  // it.
  bool admits(const Entry& entry);
  void erase(std::string_view key, std::string_view vary_values);
  // Removes this very Entry; one that took its place meanwhile stays.
  void erase(const Entry& entry);
  // What they cost, heads included; below the capacity once put() has returned.
  uint64_t bytes() const noexcept;
  uint64_t entries() const noexcept;
  // The same, taken apart; the three parts together are bytes().
  struct Use {
    uint64_t entries = 0, heads = 0, bodies = 0, index = 0;
  };
  Use use() const noexcept;
  // The largest cost put() takes.
  uint64_t largest() const noexcept;

 private:
  class Shard;
  bool put(const EntryRef& entry, bool replace);
  Shard& shard(uint64_t hash) const noexcept;
  size_t shard_count_;
  uint64_t shard_bytes_;
  size_t variants_;
  std::shared_ptr<Changes> changes_;
  std::unique_ptr<Shard[]> shards_;
};

} // namespace verge::cache
