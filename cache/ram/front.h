// RamFront: what one loop found in the RAM tier lately, and what it looked for in vain there and on disk. It answers
// without a lock as long as nothing was put under or taken from that hash since: see Changes. It holds no Entry alive.
// Loop thread only.
//
// RamKept: one answer that a loop holds on to, with what tells whether it still is the answer.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "cache/changes.h"
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

  // Nothing was stored under this key, in no variant.
  void remember_absent(const Sought& key) noexcept { absent_[key.hash % kSlots] = key; }
  // And nothing has changed until `key` was asked for now. A hash that collides makes a miss.
  bool knows_absent(const Sought& key) const noexcept { return absent_[key.hash % kSlots] == key; }

 private:
  static constexpr size_t kSlots = 1'024;
  std::array<Slot, kSlots> slots_;
  std::array<Sought, kSlots> absent_; // apart from what was found, which a flood of misses must not push out
};

} // namespace verge::cache
