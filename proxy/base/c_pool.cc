#include "proxy/base/c_pool.h"

#include <malloc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include "proxy/base/free_lists.h"

namespace verge::c_pool {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kKeeps = false;
#else
constexpr bool kKeeps = true;
#endif

// Sizes as glibc has them, 24 + 16 n octets, then in wider steps.
constexpr size_t kFirst = 24, kStep = 16;
constexpr size_t kSmall = 64; // of these steps
constexpr size_t kFirstWide = kFirst + kStep * (kSmall - 1), kWideStep = 128;
constexpr size_t kSizes = kSmall + (kLargest - kFirstWide) / kWideStep;

constexpr size_t size_at(size_t at) noexcept {
  return at < kSmall ? kFirst + kStep * at : kFirstWide + kWideStep * (at - kSmall + 1);
}
// The least of the sizes that holds n.
constexpr size_t place_for(size_t n) noexcept {
  if (n <= kFirst) return 0;
  if (n <= kFirstWide) return (n - kFirst + kStep - 1) / kStep;
  return kSmall - 1 + (n - kFirstWide + kWideStep - 1) / kWideStep;
}
// The largest of the sizes that a piece of n octets can serve. n >= kFirst.
constexpr size_t place_of(size_t n) noexcept {
  if (n < kFirstWide + kWideStep) return std::min((n - kFirst) / kStep, kSmall - 1);
  return kSmall - 1 + (n - kFirstWide) / kWideStep;
}
static_assert(size_at(kSizes - 1) == kLargest);
static_assert(place_for(kLargest) == kSizes - 1 && place_of(kLargest) == kSizes - 1);
static_assert(place_for(kFirstWide) == kSmall - 1 && place_for(kFirstWide + 1) == kSmall);
static_assert(place_of(size_at(kSmall)) == kSmall && place_of(size_at(kSmall) - 1) == kSmall - 1);

constexpr auto kMost = [] {
  std::array<size_t, kSizes> most{};
  for (size_t at = 0; at < kSizes; ++at) most[at] = std::max(kKeptBytes / size_at(at), kKeptLeast);
  return most;
}();

struct Unsized;
using Lists = FreeLists<Unsized, kSizes>;

} // namespace

void* take(size_t n) noexcept {
  if (!kKeeps || n > kLargest) return std::malloc(n);
  const size_t at = place_for(n);
  void* p = Lists::take(at);
  return p != nullptr ? p : std::malloc(size_at(at));
}

void* again(void* p, size_t n) noexcept {
  if (p == nullptr) return take(n);
  if (n == 0) {
    give(p);
    return nullptr;
  }
  const size_t now = ::malloc_usable_size(p);
  if (kKeeps && n <= now && now <= 2 * n) return p;
  if (!kKeeps || n > kLargest) return std::realloc(p, n);
  void* fresh = take(n);
  if (fresh == nullptr) return nullptr;
  std::memcpy(fresh, p, std::min(now, n));
  give(p);
  return fresh;
}

void give(void* p) noexcept {
  if (p == nullptr) return;
  const size_t n = kKeeps ? ::malloc_usable_size(p) : 0;
  const bool fits = n >= kFirst && n < kLargest + kWideStep;
  const size_t at = fits ? place_of(n) : 0;
  if (!fits || !Lists::keep(p, at, kMost[at])) std::free(p);
}

} // namespace verge::c_pool
