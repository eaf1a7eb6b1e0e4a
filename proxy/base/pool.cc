#include "proxy/base/pool.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>

namespace verge::pool {
namespace {

void* from_heap(size_t n) {
  void* p = std::malloc(n);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kKeeps = false;
#else
constexpr bool kKeeps = true;
#endif

// Sizes up to kLargest, and behind them the one that full Blocks have: freeing one of those makes malloc tidy up its
// whole heap, and those of a body that passes come and go all the time.
constexpr size_t kSizes = kLargest / kStep + 1, kLarge = kSizes - 1;
constexpr size_t kLargeBytes = 65'536, kKeptLarge = 1'048'576;

struct Piece {
  Piece* next;
};
struct Kept {
  Piece* first = nullptr;
  size_t count = 0;
};

// Without a destructor, so that the lists are at hand without asking whether they are made yet.
constinit thread_local std::array<Kept, kSizes> by_size{};
constinit thread_local bool closed = false; // the thread ends: what comes back now goes to the heap

struct Closer {
  ~Closer() {
    closed = true;
    for (Kept& kept : by_size) {
      while (kept.first != nullptr) std::free(std::exchange(kept.first, kept.first->next));
    }
  }
  void see_to_it() noexcept {}
};
thread_local Closer closer;

// Of a size in `by_size`; kSizes: of none.
constexpr size_t place(size_t n) noexcept {
  if (n <= kLargest) return (std::max<size_t>(n, 1) - 1) / kStep;
  return n <= kLargeBytes && n > kLargeBytes - kStep ? kLarge : kSizes;
}
constexpr size_t octets(size_t at) noexcept { return at == kLarge ? kLargeBytes : (at + 1) * kStep; }
constexpr size_t most_kept(size_t at) noexcept { return at == kLarge ? kKeptLarge : kKeptBytes; }

} // namespace

void* take(size_t n) {
  const size_t at = place(n);
  if (!kKeeps || at >= kSizes || closed) return from_heap(n);
  Kept& kept = by_size[at];
  if (kept.first == nullptr) return from_heap(octets(at));
  --kept.count;
  return std::exchange(kept.first, kept.first->next);
}

void give(void* p, size_t n) noexcept {
  if (p == nullptr) return;
  const size_t at = place(n);
  if (!kKeeps || at >= kSizes || closed) return std::free(p);
  Kept& kept = by_size[at];
  if (kept.count == 0) closer.see_to_it(); // made when first asked, and then ends with the thread
  if (kept.count * octets(at) >= most_kept(at)) return std::free(p);
  ++kept.count;
  kept.first = new (p) Piece{kept.first};
}

} // namespace verge::pool
