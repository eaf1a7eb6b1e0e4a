// Block: one run of body octets, reference-counted and shared between loops without a lock. A producer writes into the
// free tail and tells readers how far it got by other means (Entry::published); octets once told never change, so
// readers on any thread may look at them while the producer goes on behind them.
#pragma once

#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <string_view>
#include <utility>

#include "proxy/base/pool.h"

namespace verge {

// The size of a full Block, and of a chunk in LMDB: 16 pages less LMDB's own 16 octets, so that no 17th page is taken.
inline constexpr size_t kBlockBytes = 65'520;

class Block {
 public:
  // Allocated to its size: a 1 KB body costs 1 KB. `capacity` is at most kBlockBytes for anything that is stored.
  static Block* create(size_t capacity) {
    return new (pool::take(sizeof(Block) + capacity)) Block(static_cast<uint32_t>(capacity));
  }
  // Another's octets under a count of its own, holding it alive: threads that send the same octets without end each
  // have their own Block of them and so share no counter. Lending is for reading.
  static Block* lend(Block& of);
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  char* data() noexcept { return lent() ? lender().data() : reinterpret_cast<char*>(this + 1); }
  const char* data() const noexcept { return const_cast<Block*>(this)->data(); }
  size_t capacity() const noexcept { return capacity_ & ~kLent; }
  bool only_mine() const noexcept { return refs_.load(std::memory_order_acquire) == 1; } // asked by an owner

  void retain() noexcept { refs_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) end();
  }

 private:
  explicit Block(uint32_t capacity) noexcept : capacity_(capacity) {}
  ~Block() = default;
  static constexpr uint32_t kLent = uint32_t{1} << 31; // in capacity_: what follows is the lender's address
  bool lent() const noexcept { return (capacity_ & kLent) != 0; }
  Block& lender() const noexcept;
  void end() noexcept;
  std::atomic<uint32_t> refs_{1};
  uint32_t capacity_;
};

// Owning reference to a Block.
class BlockRef {
 public:
  BlockRef() noexcept = default;
  static BlockRef make(size_t capacity) { return BlockRef(Block::create(capacity)); }
  static BlockRef copy_of(std::string_view octets) {
    BlockRef b = make(octets.size());
    if (!octets.empty()) std::memcpy(b->data(), octets.data(), octets.size());
    return b;
  }
  static BlockRef lend(const BlockRef& of) { return BlockRef(Block::lend(*of.block_)); }
  BlockRef(const BlockRef& o) noexcept : block_(o.block_) {
    if (block_ != nullptr) block_->retain();
  }
  BlockRef(BlockRef&& o) noexcept : block_(std::exchange(o.block_, nullptr)) {}
  BlockRef& operator=(BlockRef o) noexcept {
    std::swap(block_, o.block_);
    return *this;
  }
  ~BlockRef() {
    if (block_ != nullptr) block_->release();
  }
  Block* operator->() const noexcept { return block_; }
  Block* get() const noexcept { return block_; }
  explicit operator bool() const noexcept { return block_ != nullptr; }

 private:
  explicit BlockRef(Block* owned) noexcept : block_(owned) {}
  Block* block_ = nullptr;
};

// A part of a Block, and what is sent: holds the Block alive.
struct Slice {
  BlockRef block;
  uint32_t offset = 0;
  uint32_t size = 0;

  static Slice copy_of(std::string_view octets) {
    return {BlockRef::copy_of(octets), 0, static_cast<uint32_t>(octets.size())};
  }
  std::string_view view() const noexcept { return {block->data() + offset, size}; }
};

} // namespace verge
