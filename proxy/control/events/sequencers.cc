#include "proxy/control/events/sequencers.h"

namespace verge::control {
namespace {

// Buckets' names hold no line feed.
std::string object_of(const S3Change& change) { return change.bucket + "\n" + change.key; }

} // namespace

bool Sequencers::knows(const S3Change& change) const {
  if (change.sequencer.empty()) return false;
  const auto it = by_object_.find(object_of(change));
  return it != by_object_.end() && !is_earlier(it->second->sequencer, change.sequencer);
}

void Sequencers::dealt_with(const S3Change& change) {
  if (change.sequencer.empty() || knows(change)) return;
  auto object = object_of(change);
  if (const auto it = by_object_.find(object); it != by_object_.end()) {
    it->second->sequencer = change.sequencer;
    by_age_.splice(by_age_.begin(), by_age_, it->second);
    return;
  }
  by_age_.push_front({object, change.sequencer});
  by_object_.emplace(std::move(object), by_age_.begin());
  if (by_age_.size() <= most_) return;
  by_object_.erase(by_age_.back().object);
  by_age_.pop_back();
}

} // namespace verge::control
