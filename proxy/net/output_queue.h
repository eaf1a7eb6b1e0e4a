// OutputQueue: what a connection has yet to send, as Slices in order. Small pieces are copied into a Block that all
// queues of the thread share, so that a response head costs no allocation and goes out in one piece with a small body.
// One thread only.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <string_view>
#include <vector>

#include "proxy/base/block.h"
#include "proxy/base/pool.h"

namespace verge::net {

class OutputQueue {
 public:
  void append(Slice slice);
  void append(std::string_view octets); // copied
  size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  void clear() noexcept;

  // The first piece that is not empty. Precondition: not empty().
  std::string_view front() const noexcept { return slices_[head_].view(); }
  bool only_one() const noexcept { return slices_.size() - head_ == 1; }
  // Fills at most `max` iovecs from the front; returns how many.
  int gather(iovec* out, int max) const noexcept;
  // Copies up to `n` octets from the front without removing them; returns how many.
  size_t copy_front(char* to, size_t n) const noexcept;
  // Precondition: n <= size().
  void consume(size_t n) noexcept;

 private:
  void push(Slice slice);
  using Slices = std::vector<Slice, pool::Allocator<Slice>>;
  Slices slices_; // from head_ on; those before are spent
  size_t head_ = 0;
  size_t size_ = 0;
};

} // namespace verge::net
