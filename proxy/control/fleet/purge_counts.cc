#include "proxy/control/fleet/purge_counts.h"

#include <algorithm>

#include "proxy/control/purge_count.h"

namespace verge::control {

void PurgeCounts::keep(const std::string& id, uint64_t seq, std::shared_ptr<const cache::Invalidation> what) {
  targets_ += what->targets.size();
  rows_.push_front({id, seq, std::move(what), false, std::nullopt});
  while (rows_.size() > kKept || (rows_.size() > 1 && targets_ > kTargets)) {
    targets_ -= rows_.back().what->targets.size();
    rows_.pop_back();
  }
}

PurgeCounts::Row* PurgeCounts::find(const std::string& id) {
  const auto it = std::ranges::find(rows_, id, &Row::id);
  return it == rows_.end() ? nullptr : &*it;
}

std::optional<uint64_t> PurgeCounts::of(const std::string& id) const {
  const auto it = std::ranges::find(rows_, id, &Row::id);
  return it == rows_.end() ? std::nullopt : it->entries;
}

void PurgeCounts::want(const std::string& id) {
  auto* row = find(id);
  if (row == nullptr || row->wanted) return;
  row->wanted = true;
  next();
}

void PurgeCounts::next() {
  if (counting_) return;
  // The one that was wanted first, nearly: the oldest.
  const auto row = std::find_if(rows_.rbegin(), rows_.rend(), [](const Row& r) { return r.wanted && !r.entries; });
  if (row == rows_.rend()) return;
  counting_ = true;
  count_purged(cache_, loop_, *row->what, row->seq, [life = life_, id = row->id](uint64_t entries) {
    auto* self = *life;
    if (self == nullptr) return;
    self->counting_ = false;
    if (auto* counted = self->find(id)) counted->entries = entries;
    self->counted_(id);
    self->next();
  });
}

} // namespace verge::control
