#include "proxy/control/purge_count.h"

#include <algorithm>
#include <atomic>
#include <memory>

namespace verge::control {
namespace {

class Count : public std::enable_shared_from_this<Count> {
 public:
  // `applied`: its seq; 0: it is not applied.
  Count(cache::Cache& cache, Executor& loop, cache::Invalidation command, uint64_t applied,
        std::move_only_function<void(uint64_t)> done)
      : cache_(cache), loop_(loop), command_(std::move(command)), applied_(applied), done_(std::move(done)) {}

  // Counts while the list looks, and wants nothing listed: so no page is ever full.
  void page(uint64_t after) {
    constexpr size_t kLooked = 10'000;
    cache_.list(
        after, kLooked,
        [self = shared_from_this()](const cache::StoredHead& head) {
          if (self->concerns(head)) self->entries_.fetch_add(1, std::memory_order_relaxed);
          return false;
        },
        loop_,
        [self = shared_from_this()](const cache::Listing& listing) {
          if (listing.next == 0) return self->done_(self->entries_.load());
          self->page(listing.next);
        });
  }

 private:
  bool concerns(const cache::StoredHead& head) const {
    if (!std::ranges::any_of(command_.targets,
                             [&](const cache::Target& t) { return cache::covers(t, head.key, head.tags); })) {
      return false;
    }
    if (applied_ != 0) return head.seq < applied_;
    const auto verdict = cache_.epochs().check(head.key, head.tags, head.seq);
    return verdict != cache::Verdict::dead && (verdict != cache::Verdict::stale || !command_.soft);
  }

  cache::Cache& cache_;
  Executor& loop_;
  const cache::Invalidation command_;
  const uint64_t applied_;
  std::move_only_function<void(uint64_t)> done_;
  std::atomic<uint64_t> entries_{0};
};

} // namespace

void count_purge(cache::Cache& cache, Executor& loop, const cache::Invalidation& command,
                 std::move_only_function<void(uint64_t)> done) {
  std::make_shared<Count>(cache, loop, cache.settled(command), 0, std::move(done))->page(0);
}

void count_purged(cache::Cache& cache, Executor& loop, const cache::Invalidation& command, uint64_t seq,
                  std::move_only_function<void(uint64_t)> done) {
  std::make_shared<Count>(cache, loop, cache.settled(command), seq, std::move(done))->page(0);
}

} // namespace verge::control
