// RamFront: what one loop found in the RAM tier lately. It answers without the shard's mutex as long as nothing was put
// under or taken from that hash since: the tier counts such changes for groups of hashes (RamTier::find). It holds no
// Entry alive. Loop thread only.
//
// RamKept: one answer that a loop holds on to, with what tells whether it still is the answer.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "cache/entry/entry.h"

namespace verge::cache {

struct RamKept {
  uint64_t hash = 0;    // of the key
  uint64_t changes = 0; // of the hash's group when it was found
  std::shared_ptr<Entry> entry;
};

class RamFront {
 public:
  struct Slot {
    uint64_t hash = 0;    // of the key
    uint64_t changes = 0; // of the hash's group when it was found
    std::weak_ptr<Entry> entry;
  };
  Slot& at(uint64_t hash) noexcept { return slots_[hash % kSlots]; }

 private:
  static constexpr size_t kSlots = 1'024;
  std::array<Slot, kSlots> slots_;
};

} // namespace verge::cache
