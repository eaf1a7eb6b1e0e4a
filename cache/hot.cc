#include "cache/hot.h"

#include <algorithm>
#include <memory>

namespace verge::cache {
namespace {

// Owns itself through the steps it waits for.
class Search : public std::enable_shared_from_this<Search> {
 public:
  Search(Core& core, Invalidation command, size_t most, Executor& on,
         std::move_only_function<void(std::vector<Cache::Hot>)> done)
      : core_(core), command_(std::move(command)), most_(most), on_(on), done_(std::move(done)) {}

  void step() {
    std::vector<EntryRef> some;
    if (!core_.ram.walk(at_, some)) {
      keep_hottest();
      return done_(std::move(found_));
    }
    for (const EntryRef& entry : some) consider(*entry);
    if (found_.size() > 2 * most_) keep_hottest();
    on_.post([self = shared_from_this()] { self->step(); });
  }

 private:
  void consider(const Entry& entry) {
    const StoredHead& head = entry.settled_head();
    if (entry.uses() == 0 || core_.verdict(head) == Verdict::live) return; // fetched again already
    if (!std::ranges::any_of(command_.targets, [&](const Target& t) { return covers(t, head.key, head.tags); })) return;
    found_.push_back({entry.head(), entry.hits()});
  }
  void keep_hottest() {
    std::ranges::sort(found_, std::greater{}, &Cache::Hot::hits);
    if (found_.size() > most_) found_.resize(most_);
  }

  Core& core_;
  const Invalidation command_;
  const size_t most_;
  Executor& on_;
  std::move_only_function<void(std::vector<Cache::Hot>)> done_;
  RamTier::Walk at_;
  std::vector<Cache::Hot> found_;
};

} // namespace

void find_hot(Core& core, Invalidation command, size_t most, Executor& on,
              std::move_only_function<void(std::vector<Cache::Hot>)> done) {
  std::make_shared<Search>(core, std::move(command), most, on, std::move(done))->step();
}

} // namespace verge::cache
