#include "proxy/net/input_buffer.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <new>

namespace verge::net {

namespace {

constexpr size_t kSmallest = 1'024;

// On the heap, as thread-local arrays of this size would eat into every thread's stack.
char* scratch() {
  thread_local const std::unique_ptr<std::array<char, InputBuffer::kScratchBytes>> octets(
      new std::array<char, InputBuffer::kScratchBytes>); // not zeroed
  return octets->data();
}

} // namespace

std::span<char> InputBuffer::room(size_t limit) {
  if (size_ >= limit) return {};
  if (size_ == 0) {
    begin_ = scratch();
    return {begin_, std::min(limit, kScratchBytes)};
  }
  // Growing by a share of what is kept: a peer gets memory from us only in proportion to what it sent, and what is kept
  // is not copied again for every few octets that come.
  const auto behind = [this] { return own_capacity_ - static_cast<size_t>(begin_ - own_.get()) - size_; };
  if (behind() < std::min(limit - size_, std::max(size_ / 4, kSmallest / 2))) {
    grow(size_ + std::max(size_ / 2, kSmallest));
  }
  return {begin_ + size_, std::min(behind(), limit - size_)};
}

void InputBuffer::consume(size_t n) noexcept {
  assert(n <= size_);
  begin_ += n;
  size_ -= n;
}

void InputBuffer::settle() {
  if (size_ == 0) return clear();
  const bool mine = own_ && begin_ >= own_.get() && begin_ < own_.get() + own_capacity_;
  if (!mine) grow(std::max(size_, kSmallest));
}

void InputBuffer::clear() noexcept {
  own_.reset();
  own_capacity_ = 0;
  begin_ = nullptr;
  size_ = 0;
}

void InputBuffer::grow(size_t capacity) {
  std::unique_ptr<char, Free> bigger(static_cast<char*>(std::malloc(capacity)));
  if (!bigger) throw std::bad_alloc();
  std::memcpy(bigger.get(), begin_, size_);
  own_ = std::move(bigger);
  own_capacity_ = capacity;
  begin_ = own_.get();
}

} // namespace verge::net
