// ReadScope: one read transaction for the length of one C++ scope. A reader left open keeps all pages freed since it
// began from being used again, and the file grows for good. Hence not copyable, not movable, never a member of anything
// that waits: copy out what you need and let it end.
#pragma once

#include <lmdb.h>

#include <mutex>
#include <vector>

#include "cache/lmdb/env.h"

namespace verge::cache {

// Transactions that were begun once and are parked (reset) between uses: renewing one costs a tenth of beginning it.
// One shared pool behind a mutex held for a few instructions, not one per thread: threads may then end before or after
// the Disk without leaving a transaction behind. Thread-safe.
class ParkedTxns {
 public:
  explicit ParkedTxns(const Env& env) : env_(env) {}
  ~ParkedTxns() {
    for (MDB_txn* txn : parked_) mdb_txn_abort(txn);
  }
  ParkedTxns(const ParkedTxns&) = delete;
  ParkedTxns& operator=(const ParkedTxns&) = delete;

 private:
  friend class ReadScope;
  MDB_txn* take() { // running, or null if LMDB won't
    MDB_txn* txn = nullptr;
    {
      const std::lock_guard lock(mutex_);
      if (!parked_.empty()) {
        txn = parked_.back();
        parked_.pop_back();
      }
    }
    if (txn == nullptr) return mdb_txn_begin(env_.handle(), nullptr, MDB_RDONLY, &txn) == 0 ? txn : nullptr;
    if (mdb_txn_renew(txn) == 0) return txn;
    mdb_txn_abort(txn);
    return nullptr;
  }
  void park(MDB_txn* txn) {
    mdb_txn_reset(txn);
    const std::lock_guard lock(mutex_);
    parked_.push_back(txn);
  }
  const Env& env_;
  std::mutex mutex_;
  std::vector<MDB_txn*> parked_;
};

class ReadScope {
 public:
  explicit ReadScope(ParkedTxns& parked) : parked_(parked), txn_(parked.take()) {}
  ~ReadScope() {
    if (txn_ != nullptr) parked_.park(txn_);
  }
  ReadScope(const ReadScope&) = delete;
  ReadScope& operator=(const ReadScope&) = delete;
  // Null after a write error that LMDB holds for fatal: then everything is a miss until the program starts anew.
  MDB_txn* txn() const noexcept { return txn_; }

 private:
  ParkedTxns& parked_;
  MDB_txn* txn_;
};

} // namespace verge::cache
