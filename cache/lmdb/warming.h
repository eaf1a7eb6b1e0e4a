// Warming: after a start, walks the index and then the newest records, so that requests find them in memory and need no
// reader thread. In short steps, each in a scope of its own (see ReadScope), so that cold reads get their turn between.
#pragma once

#include <cstdint>
#include <string>

#include "cache/lmdb/env.h"
#include "cache/lmdb/read_scope.h"
#include "cache/lmdb/residency.h"

namespace verge::cache {

// On one thread at a time. Env, transactions and Residency outlive it.
class Warming {
 public:
  Warming(const Env& env, ParkedTxns& parked, Residency& residency)
      : env_(env), parked_(parked), residency_(residency), budget_(residency.turn() / 2) {}
  // False: that was the last one, or the file can't be read.
  bool step();
  uint64_t rows() const noexcept { return rows_; }
  uint64_t records() const noexcept { return records_; }

 private:
  bool step_index(MDB_txn* txn);
  bool step_records(MDB_txn* txn);

  const Env& env_;
  ParkedTxns& parked_;
  Residency& residency_;
  uint64_t budget_; // octets of records that are walked at most: more would push out what came first
  bool index_done_ = false;
  std::string row_; // where the next step of the index begins
  uint64_t rows_ = 0;
  uint64_t below_ = UINT64_MAX; // ids from here on have been walked
  uint64_t records_ = 0;
};

} // namespace verge::cache
