#include "proxy/net/output_queue.h"

#include <algorithm>
#include <array>
#include <cassert>

namespace verge::net {

namespace {

constexpr size_t kArenaBytes = 16'384 - sizeof(Block);
constexpr size_t kOwnBlockFrom = 4'096; // longer text gets a Block of its own, so that a slow reader pins no arena
constexpr size_t kKeptSlices = 32;      // capacity kept by an idle queue

// Blocks that this thread's queues copy small pieces into, one after the other; slices hold them while they are sent.
// One that nobody holds any more is begun anew, so that the usual turn asks the heap for nothing and writes where the
// cache is warm.
class Arena {
 public:
  const BlockRef& block() const noexcept { return blocks_[at_]; }
  size_t used() const noexcept { return used_; }
  // Room for at least one octet behind used().
  void make_room() {
    if (used_ > 0 && block() && block()->only_mine()) used_ = 0;
    if (block() && used_ < kArenaBytes) return;
    at_ = (at_ + 1) % kBlocks;
    if (!block() || !block()->only_mine()) blocks_[at_] = BlockRef::make(kArenaBytes);
    used_ = 0;
  }
  // Copies what has room; returns how much.
  size_t take(std::string_view octets) noexcept {
    const size_t n = std::min(octets.size(), kArenaBytes - used_);
    std::memcpy(blocks_[at_]->data() + used_, octets.data(), n);
    used_ += n;
    return n;
  }

 private:
  static constexpr size_t kBlocks = 8;
  std::array<BlockRef, kBlocks> blocks_;
  size_t at_ = 0;
  size_t used_ = 0;
};
thread_local Arena arena;

} // namespace

void OutputQueue::append(Slice slice) {
  if (slice.size == 0) return;
  // A small one is cheaper to copy beside what stands before it than to count, gather and send as a piece.
  if (slice.size < kOwnBlockFrom) return append(slice.view());
  push(std::move(slice));
}

void OutputQueue::append(std::string_view octets) {
  if (octets.size() >= kOwnBlockFrom) {
    for (; octets.size() > kBlockBytes; octets.remove_prefix(kBlockBytes)) {
      append(Slice::copy_of(octets.substr(0, kBlockBytes)));
    }
    append(Slice::copy_of(octets));
    return;
  }
  while (!octets.empty()) {
    arena.make_room();
    const auto at = static_cast<uint32_t>(arena.used());
    const size_t n = arena.take(octets);
    Slice* last = head_ < slices_.size() ? &slices_.back() : nullptr;
    if (last != nullptr && last->block.get() == arena.block().get() && last->offset + last->size == at) {
      last->size += static_cast<uint32_t>(n);
      size_ += n;
    } else {
      push({arena.block(), at, static_cast<uint32_t>(n)});
    }
    octets.remove_prefix(n);
  }
}

void OutputQueue::push(Slice slice) {
  size_ += slice.size;
  slices_.push_back(std::move(slice));
}

void OutputQueue::clear() noexcept {
  if (slices_.capacity() > kKeptSlices) {
    Slices().swap(slices_);
  } else {
    slices_.clear();
  }
  head_ = 0;
  size_ = 0;
}

int OutputQueue::gather(iovec* out, int max) const noexcept {
  int count = 0;
  for (size_t i = head_; i < slices_.size() && count < max; ++i, ++count) {
    const std::string_view piece = slices_[i].view();
    out[count] = {const_cast<char*>(piece.data()), piece.size()};
  }
  return count;
}

size_t OutputQueue::copy_front(char* to, size_t n) const noexcept {
  size_t copied = 0;
  for (size_t i = head_; i < slices_.size() && copied < n; ++i) {
    const std::string_view piece = slices_[i].view().substr(0, n - copied);
    std::memcpy(to + copied, piece.data(), piece.size());
    copied += piece.size();
  }
  return copied;
}

void OutputQueue::consume(size_t n) noexcept {
  assert(n <= size_);
  size_ -= n;
  if (size_ == 0) return clear();
  while (n > 0) {
    Slice& first = slices_[head_];
    if (n < first.size) {
      first.offset += static_cast<uint32_t>(n);
      first.size -= static_cast<uint32_t>(n);
      break;
    }
    n -= first.size;
    first.block = BlockRef();
    ++head_;
  }
  if (head_ >= 64 && head_ * 2 >= slices_.size()) {
    slices_.erase(slices_.begin(), slices_.begin() + static_cast<ptrdiff_t>(head_));
    head_ = 0;
  }
}

} // namespace verge::net
