// Residency: a guess which bodies' tree pages are in memory. mincore tells it of pages whose address is known, but
// going down the tree to a small record touches its leaf before any address is: on a cold leaf that stops the loop for
// milliseconds. So a loop goes there only for ids that were written or read a short while ago; all others are looked up
// by a reader thread first (50 us more, once). "A while": until about a quarter of the machine's memory has been moved
// through the page cache by us. Thread-safe; wrong guesses cost time, nothing else.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

#include "cache/lmdb/id_bits.h"

namespace verge::cache {

class Residency {
 public:
  explicit Residency(uint64_t ids) : generations_{IdBits(ids), IdBits(ids)} {
    const auto pages = static_cast<uint64_t>(std::max(::sysconf(_SC_PHYS_PAGES), 0L));
    const auto page = static_cast<uint64_t>(std::max(::sysconf(_SC_PAGESIZE), 4'096L));
    turn_ = std::max<uint64_t>(pages * page / 4, 64ull << 20);
  }
  // Octets that go through memory before what was not used is forgotten, about.
  uint64_t turn() const noexcept { return turn_; }
  bool likely(uint64_t id) noexcept {
    const unsigned now = now_.load(std::memory_order_relaxed);
    if (generations_[now].test(id)) return true;
    if (!generations_[1 - now].test(id)) return false;
    generations_[now].mark(id); // used: goes on into the next generation
    return true;
  }
  // `bytes` of it went through the page cache.
  void touched(uint64_t id, uint64_t bytes) noexcept {
    generations_[now_.load(std::memory_order_relaxed)].mark(id);
    moved(bytes);
  }
  void moved(uint64_t bytes) noexcept {
    uint64_t sum = moved_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    if (sum < turn_ || !moved_.compare_exchange_strong(sum, 0)) return;
    const unsigned other = 1 - now_.load(std::memory_order_relaxed);
    generations_[other].clear_all();
    now_.store(other, std::memory_order_relaxed);
  }

 private:
  std::array<IdBits, 2> generations_;
  std::atomic<unsigned> now_{0};
  std::atomic<uint64_t> moved_{0};
  uint64_t turn_ = 0;
};

// What is known of each id but its contents.
struct Recency {
  explicit Recency(uint64_t ids) : read(ids), resident(ids) {}
  IdBits read; // since it was stored: gives a second chance at the old end
  Residency resident;
  // A new id, about to be written: whoever had its place in the ring before is forgotten.
  void born(uint64_t id, uint64_t bytes) noexcept {
    read.clear(id);
    resident.touched(id, bytes);
  }
};

} // namespace verge::cache
