// FreeLists: pieces of memory that a thread has freed, in lists of its own by place: what the pools of memory stand on.
// Which sizes have which place, and how much one keeps, is the pool's. The pieces are malloc()'s.
#pragma once

#include <array>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

namespace verge {

// One set of `kPlaces` lists for each thread and `Pool`.
template <class Pool, size_t kPlaces>
class FreeLists {
 public:
  // Null: none is kept there.
  static void* take(size_t at) noexcept {
    Kept& kept = lists_[at];
    if (kept.first == nullptr) return nullptr;
    --kept.count;
    return std::exchange(kept.first, kept.first->next);
  }
  // False: `most` are there already, or the thread ends: `p` stays the caller's.
  static bool keep(void* p, size_t at, size_t most) noexcept {
    Kept& kept = lists_[at];
    if (closed_ || kept.count >= most) return false;
    if (kept.count == 0) closer_.see_to_it(); // made when first asked, and then ends with the thread
    ++kept.count;
    kept.first = new (p) Piece{kept.first};
    return true;
  }

 private:
  struct Piece {
    Piece* next;
  };
  struct Kept {
    Piece* first = nullptr;
    size_t count = 0;
  };
  struct Closer {
    ~Closer() {
      closed_ = true;
      for (Kept& kept : lists_) {
        while (kept.first != nullptr) std::free(std::exchange(kept.first, kept.first->next));
        kept.count = 0;
      }
    }
    void see_to_it() noexcept {}
  };

  // Without a destructor, so that the lists are at hand without asking whether they are made yet.
  static inline constinit thread_local std::array<Kept, kPlaces> lists_{};
  static inline constinit thread_local bool closed_ = false; // the thread ends: what comes back now goes to the heap
  static inline thread_local Closer closer_;
};

} // namespace verge
