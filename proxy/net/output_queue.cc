#include "proxy/net/output_queue.h"

#include <algorithm>
#include <cassert>

namespace verge::net {

namespace {

constexpr size_t kArenaBytes = 16'384 - sizeof(Block);
constexpr size_t kOwnBlockFrom = 4'096; // longer text gets a Block of its own, so that a slow reader pins no arena
constexpr size_t kKeptSlices = 32;      // capacity kept by an idle queue

// The free tail of the Block that this thread's queues copy small text into. It is replaced when full; the slices keep
// the old one alive.
struct Arena {
  BlockRef block;
  size_t used = kArenaBytes;
};
thread_local Arena arena;

} // namespace

void OutputQueue::append(Slice slice) {
  if (slice.size == 0) return;
  size_ += slice.size;
  slices_.push_back(std::move(slice));
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
    if (arena.used == kArenaBytes) {
      arena.block = BlockRef::make(kArenaBytes);
      arena.used = 0;
    }
    const size_t n = std::min(octets.size(), kArenaBytes - arena.used);
    std::memcpy(arena.block->data() + arena.used, octets.data(), n);
    Slice* last = head_ < slices_.size() ? &slices_.back() : nullptr;
    if (last != nullptr && last->block.get() == arena.block.get() && last->offset + last->size == arena.used) {
      last->size += static_cast<uint32_t>(n);
      size_ += n;
    } else {
      append(Slice{arena.block, static_cast<uint32_t>(arena.used), static_cast<uint32_t>(n)});
    }
    arena.used += n;
    octets.remove_prefix(n);
  }
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
