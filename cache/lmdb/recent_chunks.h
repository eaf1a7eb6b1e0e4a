// RecentChunks: the chunks that were read from disk last, so that clients near each other in one large body send from
// the same Blocks instead of a copy each. A chunk never changes and ids are not used twice: what lies here is right for
// as long as it lies here. Holds at most kSlots Blocks; those of a body go
// when its last Reader does. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <utility>

#include "proxy/base/block.h"

namespace verge::cache {

class RecentChunks {
 public:
  static constexpr size_t kSlots = 32; // 2 MiB

  // Null: not here.
  BlockRef find(uint64_t id, uint32_t n) const {
    const std::lock_guard lock(mutex_);
    const Slot& slot = slots_[at(id, n)];
    return slot.id == id && slot.n == n ? slot.block : BlockRef();
  }
  void keep(uint64_t id, uint32_t n, BlockRef block) {
    const std::lock_guard lock(mutex_);
    Slot& slot = slots_[at(id, n)];
    slot.id = id;
    slot.n = n;
    std::swap(slot.block, block); // the old one is freed by the caller, without the mutex
  }

  // Nobody reads this body any more.
  void forget(uint64_t id) {
    std::array<BlockRef, kSlots> gone; // freed without the mutex
    const std::lock_guard lock(mutex_);
    for (size_t i = 0; i < kSlots; ++i) {
      if (slots_[i].id == id) gone[i] = std::exchange(slots_[i].block, {});
    }
  }

 private:
  struct Slot {
    uint64_t id = 0; // 0: empty, no body has it
    uint32_t n = 0;
    BlockRef block;
  };
  // The chunks of one body follow one another, so that a reader does not push out what it is about to need.
  static size_t at(uint64_t id, uint32_t n) noexcept { return (id * 11 + n) % kSlots; }

  mutable std::mutex mutex_;
  std::array<Slot, kSlots> slots_;
};

} // namespace verge::cache
