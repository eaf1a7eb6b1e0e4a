// IdBits: one bit per body id, in a ring: a set that costs a megabyte for eight million ids and no lock. Two ids that
// are a whole ring apart share a bit; whoever asks must be content with a rare wrong yes. Thread-safe.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>

namespace verge::cache {

class IdBits {
 public:
  explicit IdBits(uint64_t ids)
      : mask_(std::bit_ceil(ids < 64 ? uint64_t{64} : ids) - 1),
        words_(std::make_unique<std::atomic<uint64_t>[]>((mask_ + 1) / 64)) {}
  bool test(uint64_t id) const noexcept { return (word(id).load(std::memory_order_relaxed) & bit(id)) != 0; }
  void mark(uint64_t id) noexcept {
    if (!test(id)) word(id).fetch_or(bit(id), std::memory_order_relaxed); // look first: a shared line stays shared
  }
  void clear(uint64_t id) noexcept { word(id).fetch_and(~bit(id), std::memory_order_relaxed); }
  void clear_all() noexcept {
    for (uint64_t i = 0; i <= mask_ / 64; ++i) words_[i].store(0, std::memory_order_relaxed);
  }

 private:
  std::atomic<uint64_t>& word(uint64_t id) const noexcept { return words_[(id & mask_) / 64]; }
  static uint64_t bit(uint64_t id) noexcept { return uint64_t{1} << (id % 64); }
  uint64_t mask_;
  std::unique_ptr<std::atomic<uint64_t>[]> words_;
};

} // namespace verge::cache
