// Memory for what comes and goes with every request: each thread keeps what it freed, by size, and takes it again
// without asking the heap. Bounded, so that a burst is not held for ever. What one thread takes another may give back.
//
// Builds with a sanitizer of addresses or threads go to the heap each time, so that a use after the end is still seen.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace verge::pool {

inline constexpr size_t kStep = 32;           // sizes are rounded up to this many octets
inline constexpr size_t kLargest = 4'096;     // larger pieces are the heap's, but for those of full Blocks
inline constexpr size_t kKeptBytes = 262'144; // of one size, by one thread: some hundred streams end in one turn

// Aligned as malloc() does. Ends the program by std::bad_alloc when memory is gone. `n` of give() is that of take().
void* take(size_t n);
void give(void* p, size_t n) noexcept;

// Base of classes whose objects lie in the pool.
class Pooled {
 public:
  static void* operator new(size_t n) { return take(n); }
  static void operator delete(void* p, size_t n) noexcept { give(p, n); }
};

// For containers whose nodes lie in the pool.
template <class T>
struct Allocator {
  using value_type = T;
  Allocator() noexcept = default;
  template <class U>
  Allocator(const Allocator<U>&) noexcept {} // NOLINT(google-explicit-constructor): containers rebind
  T* allocate(size_t n) { return static_cast<T*>(take(n * sizeof(T))); }
  void deallocate(T* p, size_t n) noexcept { give(p, n * sizeof(T)); }
  bool operator==(const Allocator&) const noexcept = default;
};

// What std::make_shared makes, in the pool: object and counts in one piece.
template <class T, class... Args>
std::shared_ptr<T> make_shared(Args&&... args) {
  return std::allocate_shared<T>(Allocator<T>(), std::forward<Args>(args)...);
}

// Values whose buffers are worth keeping: strings and fields that the next request of the thread fills again. What is
// kept must have been cleared. A thread_local of the file that uses it.
template <class T, size_t kMost = 256>
class Spares {
 public:
  T take() {
    if (kept_.empty()) return T{};
    T out = std::move(kept_.back());
    kept_.pop_back();
    return out;
  }
  void keep(T&& spare) {
    if (kept_.size() < kMost) kept_.push_back(std::move(spare));
  }

 private:
  std::vector<T> kept_;
};

} // namespace verge::pool
