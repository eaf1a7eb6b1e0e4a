// OldEnd: makes room by deleting the oldest bodies, as much as the next write needs and no more. LMDB looks for
// neighbouring free pages one by one: deletes in id order leave them side by side, deletes all over the file don't.
// So nothing is ever deleted for being stale, invalidated or seldom asked for; its turn comes. Writer thread only.
#pragma once

#include <cstdint>
#include <functional>

#include "cache/invalidate/epochs.h"
#include "cache/lmdb/pins.h"
#include "cache/lmdb/residency.h"
#include "cache/lmdb/write_txn.h"

namespace verge::cache {

class OldEnd {
 public:
  // `busy(id)`: an Entry that is being stored, or has failed and is still read.
  OldEnd(const Epochs& epochs, Pins& pins, Recency& recency, std::function<bool(uint64_t)> busy)
      : epochs_(epochs), pins_(pins), recency_(recency), busy_(std::move(busy)) {}

  struct Freed {
    int rc = 0;
    uint64_t evicted = 0; // responses that are gone
    bool more = false;    // still above `pages`: commit, then call again
  };
  // Deletes from the old end until `txn` uses at most `pages`. Passes over what is pinned or busy. What was read since
  // it was stored gets a second chance: it is written again at the new end, as long as that copies no more than
  // `second_chance_bytes`; not so what an invalidation has killed.
  Freed make_room(WriteTxn& txn, uint64_t pages, uint64_t second_chance_bytes, MonoTime now);

 private:
  struct Oldest {
    int rc = 0;
    uint64_t id = 0; // 0: none
  };
  Verdict check(StoredHead& head) const;
  Oldest first_from(WriteTxn& txn, uint64_t id) const;
  int store_again(WriteTxn& txn, uint64_t id, const Record& record, uint64_t& budget, bool& done);

  const Epochs& epochs_;
  Pins& pins_;
  Recency& recency_;
  std::function<bool(uint64_t)> busy_;
};

} // namespace verge::cache
