#include "proxy/base/c_pool.h"

#include <malloc.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

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

struct Piece {
  Piece* next;
};
struct Kept {
  Piece* first = nullptr;
  uint32_t count = 0;
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

} // namespace

void* take(size_t n) noexcept {
  if (!kKeeps || n > kLargest) return std::malloc(n);
  const size_t at = place_for(n);
  Kept& kept = by_size[at];
  if (kept.first == nullptr) return std::malloc(size_at(at));
  --kept.count;
  return std::exchange(kept.first, kept.first->next);
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
  if (n < kFirst || n >= kLargest + kWideStep || closed) return std::free(p);
  const size_t at = place_of(n);
  Kept& kept = by_size[at];
  if (kept.count == 0) closer.see_to_it(); // made when first asked, and then ends with the thread
  if (kept.count >= std::max(kKeptBytes / size_at(at), kKeptLeast)) return std::free(p);
  ++kept.count;
  kept.first = new (p) Piece{kept.first};
}

} // namespace verge::c_pool
