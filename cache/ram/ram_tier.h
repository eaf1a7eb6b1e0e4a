// RamTier: complete Entries kept in memory by key and variant, sharded. S3-FIFO: a small queue on trial, a main queue
// for what was asked for again, a ghost list of hashes.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "cache/entry/entry.h"
#include "proxy/base/clock.h"
#include "proxy/http/headers.h"

namespace verge::cache {

class RamTier {
 public:
  explicit RamTier(uint64_t capacity_bytes);
  ~RamTier();
  RamTier(const RamTier&) = delete;
  RamTier& operator=(const RamTier&) = delete;
  // The variant of `key` that `request` selects, the newest if several do; null if none. Thread-safe.
  EntryRef find(std::string_view key, const http::Headers& request);
  // True if there is any variant of `key` (then a miss is a vary-miss).
  bool has_any(std::string_view key) const;
  // Puts a complete Entry with all Blocks in; replaces the same variant. Refuses (false) what is larger than an eighth
  // of a shard.
  bool put(const EntryRef& entry);
  // Replaces the head of a stored variant (304): same body, new head.
  void erase(std::string_view key, std::string_view vary_values);
  uint64_t bytes() const noexcept;
  uint64_t entries() const noexcept;

 private:
  struct Shard;
  std::unique_ptr<Shard[]> shards_;
  uint64_t capacity_;
};

} // namespace verge::cache
