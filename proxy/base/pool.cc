#include "proxy/base/pool.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>

#include "proxy/base/free_lists.h"

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

// Among the lists; kSizes: in none of them.
constexpr size_t place(size_t n) noexcept {
  if (n <= kLargest) return (std::max<size_t>(n, 1) - 1) / kStep;
  return n <= kLargeBytes && n > kLargeBytes - kStep ? kLarge : kSizes;
}
constexpr size_t octets(size_t at) noexcept { return at == kLarge ? kLargeBytes : (at + 1) * kStep; }
constexpr auto kMost = [] {
  std::array<size_t, kSizes> most{};
  for (size_t at = 0; at < kSizes; ++at) most[at] = (at == kLarge ? kKeptLarge : kKeptBytes) / octets(at);
  return most;
}();

struct Sized;
using Lists = FreeLists<Sized, kSizes>;

} // namespace

void* take(size_t n) {
  const size_t at = place(n);
  if (!kKeeps || at >= kSizes) return from_heap(n);
  void* p = Lists::take(at);
  return p != nullptr ? p : from_heap(octets(at));
}

void give(void* p, size_t n) noexcept {
  if (p == nullptr) return;
  const size_t at = place(n);
  if (!kKeeps || at >= kSizes || !Lists::keep(p, at, kMost[at])) std::free(p);
}

} // namespace verge::pool
