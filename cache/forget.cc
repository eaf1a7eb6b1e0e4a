#include "cache/forget.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <vector>

namespace verge::cache {
namespace {

constexpr size_t kRowsAtOnce = 1'000;

// One round. Owns itself through the steps it waits for.
class Round : public std::enable_shared_from_this<Round> {
 public:
  Round(Core& core, Executor& on, std::move_only_function<void(size_t)> done)
      // Whatever is fetched from here on carries at least `current`; what is under way comes first, since it may come
      // to rest behind our back.
      : core_(core), on_(on), done_(std::move(done)), oldest_(core.flights->oldest(core.epochs->current())) {}

  void look_in_memory() {
    std::vector<EntryRef> some;
    if (!core_.ram.walk(at_, some)) return look_on_disk(0);
    for (const EntryRef& entry : some) consider(entry->settled_head());
    next([](Round& round) { round.look_in_memory(); });
  }

 private:
  template <class F>
  void next(F f) {
    on_.post([self = shared_from_this(), f] { f(*self); });
  }

  // Any thread. What is dead stays so without the command that ended it: it is older than all that is kept.
  void consider(const StoredHead& head) {
    if (core_.verdict(head) == Verdict::dead) return;
    uint64_t oldest = oldest_.load(std::memory_order_relaxed);
    while (head.seq < oldest && !oldest_.compare_exchange_weak(oldest, head.seq, std::memory_order_relaxed)) {
    }
  }

  void look_on_disk(uint64_t after) {
    if (core_.disk == nullptr) return drop();
    core_.disk->list(
        after, 1,
        [self = shared_from_this()](const StoredHead& head) {
          self->consider(head);
          return false;
        },
        on_,
        [self = shared_from_this()](const Listing& page) {
          page.next == 0 ? self->drop() : self->look_on_disk(page.next);
        });
  }

  void drop() {
    const uint64_t oldest = oldest_.load();
    auto gone = core_.epochs->forget_below(oldest, kRowsAtOnce);
    if (gone.empty()) return done_(forgotten_);
    forgotten_ += gone.size();
    if (core_.disk == nullptr) return next([](Round& round) { round.drop(); });
    // Should the disk not write: they come back at the next start, which costs memory and nothing else.
    core_.disk->forget_epochs(std::move(gone), oldest, on_,
                              [self = shared_from_this()](const Result<>&) { self->drop(); });
  }

  Core& core_;
  Executor& on_;
  std::move_only_function<void(size_t)> done_;
  RamTier::Walk at_;
  std::atomic<uint64_t> oldest_;
  size_t forgotten_ = 0;
};

} // namespace

void forget_old(Core& core, Executor& on, std::move_only_function<void(size_t)> done) {
  std::make_shared<Round>(core, on, std::move(done))->look_in_memory();
}

} // namespace verge::cache
