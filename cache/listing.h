// What an operator sees of stored responses: the rows of `verge ls`, and all that is known of one key.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "cache/entry/stored_head.h"
#include "cache/invalidate/epochs.h"

namespace verge::cache {

struct Listed {
  HeadRef head;
  uint64_t length = 0;  // octets of body
  uint64_t body_id = 0; // on disk; 0: only in memory
  bool in_ram = false;
  Millis age{0};     // when it was listed
  uint64_t hits = 0; // answers from it since it came into memory
  Verdict verdict = Verdict::live;
  std::optional<EpochRow> blame = std::nullopt; // the invalidation behind a verdict that is not live
};

// Of the store, the oldest on disk first, then what is in memory only.
struct Listing {
  std::vector<Listed> entries;
  uint64_t next = 0; // where the next page begins; 0: this was the last
};

// Which responses are wanted. Called on any thread.
using Wanted = std::function<bool(const StoredHead&)>;

} // namespace verge::cache
