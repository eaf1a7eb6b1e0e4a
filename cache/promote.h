// Promoter: brings small bodies that were asked for from disk into RAM.
#pragma once

#include <memory>
#include <mutex>
#include <unordered_set>

#include "cache/entry/entry.h"
#include "cache/ram/ram_tier.h"

namespace verge::cache {

class Promoter {
 public:
  // Bodies larger than `largest` octets stay on disk.
  Promoter(RamTier& ram, BodyStore* store, uint64_t largest);
  // `entry`: complete, as found on disk. If the RAM tier wants it: returns it with all Blocks in RAM if its chunks can
  // be read at once, and puts it into the tier; else returns it as it is, and goes on behind as chunks come in on `on`.
  // Thread-safe.
  EntryRef promote(const EntryRef& entry, Executor& on);

 private:
  struct Job;
  struct Shared;
  std::shared_ptr<Shared> shared_; // reads on their way may outlive us
};

} // namespace verge::cache
