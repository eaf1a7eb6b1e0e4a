// ReadScope: one read transaction for the length of one C++ scope. A reader left open keeps all pages freed since it
// began from being used again, and the file grows for good. Hence not copyable, not movable, never a member of anything
// that waits: copy out what you need and let it end.
#pragma once

#include <lmdb.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "cache/lmdb/env.h"
#include "proxy/base/clock.h"

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

  // Waits until all scopes that have begun by now have ended: then what was freed before them can be used. False: one
  // took longer than `patience`. Call it from one thread only, and from within no scope.
  bool wait_for_readers(Millis patience) {
    std::unique_lock lock(mutex_);
    const auto until = std::chrono::steady_clock::now() + patience;
    const auto wait = [&](const size_t& scopes) { return ended_.wait_until(lock, until, [&] { return scopes == 0; }); };
    size_t& before = running_[turn_ ^ 1U];
    if (!wait(before)) return false; // one that the call before this gave up waiting for
    turn_ ^= 1U;
    return wait(running_[turn_ ^ 1U]);
  }

 private:
  friend class ReadScope;
  struct Taken {
    MDB_txn* txn = nullptr; // null if LMDB won't
    unsigned turn = 0;      // to be given back with it
  };
  Taken take() {
    Taken taken;
    {
      const std::lock_guard lock(mutex_);
      taken.turn = turn_;
      ++running_[turn_];
      if (!parked_.empty()) {
        taken.txn = parked_.back();
        parked_.pop_back();
      }
    }
    if (taken.txn == nullptr) {
      if (mdb_txn_begin(env_.handle(), nullptr, MDB_RDONLY, &taken.txn) != 0) taken.txn = nullptr;
    } else if (mdb_txn_renew(taken.txn) != 0) {
      mdb_txn_abort(taken.txn);
      taken.txn = nullptr;
    }
    return taken;
  }
  void park(Taken taken) {
    if (taken.txn != nullptr) mdb_txn_reset(taken.txn);
    bool last = false;
    {
      const std::lock_guard lock(mutex_);
      if (taken.txn != nullptr) parked_.push_back(taken.txn);
      last = --running_[taken.turn] == 0 && taken.turn != turn_;
    }
    if (last) ended_.notify_one();
  }
  const Env& env_;
  std::mutex mutex_; // of all that follows
  std::vector<MDB_txn*> parked_;
  std::array<size_t, 2> running_ = {}; // scopes of this turn, and of the one that wait_for_readers() has ended
  unsigned turn_ = 0;
  std::condition_variable ended_;
};

class ReadScope {
 public:
  explicit ReadScope(ParkedTxns& parked) : parked_(parked), taken_(parked.take()) {}
  ~ReadScope() { parked_.park(taken_); }
  ReadScope(const ReadScope&) = delete;
  ReadScope& operator=(const ReadScope&) = delete;
  // Null after a write error that LMDB holds for fatal: then everything is a miss until the program starts anew.
  MDB_txn* txn() const noexcept { return taken_.txn; }

 private:
  ParkedTxns& parked_;
  ParkedTxns::Taken taken_;
};

} // namespace verge::cache
