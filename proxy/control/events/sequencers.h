// Sequencers: the last change of each object that was dealt with, so that an older one, which came later, is passed
// over. In memory and bounded: what was forgotten costs a few hits, never a stale answer. Control loop only.
#pragma once

#include <list>
#include <string>
#include <unordered_map>

#include "proxy/control/events/s3_change.h"

namespace verge::control {

class Sequencers {
 public:
  explicit Sequencers(size_t most = 100'000) : most_(most) {}
  // Was this change, or a later one of the same object, dealt with?
  bool knows(const S3Change& change) const;
  // To be called when the purge for it is durable.
  void dealt_with(const S3Change& change);
  size_t size() const noexcept { return by_age_.size(); }

 private:
  struct Row {
    std::string object, sequencer;
  };
  size_t most_;
  std::list<Row> by_age_; // latest first
  std::unordered_map<std::string, std::list<Row>::iterator> by_object_;
};

} // namespace verge::control
