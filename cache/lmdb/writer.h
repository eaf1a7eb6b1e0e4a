// Writer: the one thread that writes. Takes what others hand in, gathers it for a few milliseconds or megabytes, and
// writes it in one transaction; makes room at the old end first. Thread-safe but for what says otherwise.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cache/changes.h"
#include "cache/entry/entry.h"
#include "cache/invalidate/epochs.h"
#include "cache/lmdb/disk.h"
#include "cache/lmdb/env.h"
#include "cache/lmdb/old_end.h"
#include "cache/lmdb/read_scope.h"
#include "cache/lmdb/write_txn.h"

namespace verge::cache {

// One act inside a transaction. It may be run more than once: the transaction is given up and begun anew when the map
// is full. `after` is called once, when it is committed or given up.
struct WriteStep {
  std::function<int(WriteTxn&)> run;
  std::function<void(const Result<>&)> after;
  uint64_t bytes = 0;  // what it writes, about
  bool synced = false; // `after` only when it would survive a power cut
};

class Writer {
 public:
  struct Parts { // all outlive the Writer
    Env& env;
    const Clock& clock;
    const Epochs& epochs;
    Pins& pins;
    Recency& recency;
    ParkedTxns& readers;
  };
  Writer(const DiskOptions& options, Parts parts, State state);
  // Writes what was handed in, lets go of what is still growing, ends.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  bool store(const EntryRef& entry);
  void poke(const EntryRef& entry);
  // See Disk::count_in.
  void count_in(std::shared_ptr<Changes> changes) { changes_ = std::move(changes); }
  // A transaction that may have made a response with this head findable has ended, whatever became of it: one that
  // could not be synced is there all the same. Writer's thread.
  void came(const StoredHead& head) {
    if (changes_) changes_->note(changes_->hash(head.key));
  }
  // Any other act; `urgent`: somebody waits for it.
  void submit(WriteStep step, bool urgent);
  void flush();
  DiskStats stats() const;
  // The file was cut under us: nothing is read or written any more.
  void give_up(const char* why);

 private:
  struct Job { // one Entry on its way to disk
    EntryRef entry;
    uint64_t id = 0;               // 0: nothing written yet
    uint32_t planned = 0;          // chunks handed to steps
    bool on_disk = false;          // at least one chunk is committed
    bool ended = false;            // nothing more will be planned
    uint64_t charge = 0;           // of queue_bytes
    std::atomic<uint64_t> seen{0}; // the Entry's length when it was last queued
    bool queued = false;           // under mutex_
  };
  using JobRef = std::shared_ptr<Job>;
  struct Op { // a job to look at, or a step
    JobRef job;
    WriteStep step;
  };

  // With mutex_ held. One wake-up a batch, not one for each that is handed in: true if the writer sleeps for want of
  // work, or has now gathered enough.
  bool hand_in(Op op, uint64_t bytes, bool urgent);
  bool enough() const;

  // --- on the writer's thread ---
  void run();
  void idle();
  void plan(const JobRef& job);
  void number(const JobRef& job, uint64_t bytes); // gives it an id
  void plan_chunk(const JobRef& job, BlockRef block);
  void plan_record(const JobRef& job, uint64_t length, BlockRef last);
  void drop_job(const JobRef& job); // the Entry failed, or can't be stored
  void add(WriteStep step);
  void execute();
  int attempt(uint64_t bytes, bool apart);
  int write_steps(WriteTxn& txn);
  void count();
  bool doomed_due() const;
  void failed(int rc);
  bool try_again();
  uint64_t pages_allowed(uint64_t bytes) const;
  Error error_of(int rc) const;
  void end(const JobRef& job);

  const DiskOptions options_;
  const Parts parts_;
  State state_;
  std::shared_ptr<Changes> changes_; // null: nobody asks
  OldEnd old_end_;
  std::vector<WriteStep> batch_;
  uint64_t batch_bytes_ = 0;
  uint64_t batch_limit_ = 0;
  uint64_t next_id_;
  struct Doomed { // chunks of a body that will never have a record
    uint64_t id;
    std::weak_ptr<Entry> entry; // while somebody may still read it
  };
  std::vector<Doomed> doomed_;
  std::unordered_map<uint64_t, JobRef> writing_; // by id, until its record is committed
  std::chrono::steady_clock::time_point retry_at_{}, reader_check_at_{};

  // --- shared ---
  mutable std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::deque<Op> ops_;
  std::unordered_map<const Entry*, JobRef> jobs_;
  uint64_t queued_bytes_ = 0;
  uint64_t fresh_bytes_ = 0; // came in since the writer last looked
  uint64_t ticket_ = 0, finished_ = 0;
  bool urgent_ = false, stop_ = false;
  std::atomic<bool> writable_{true}, broken_{false};
  struct {
    std::atomic<uint64_t> entries{0}, bytes_used{0}, stores{0}, stores_dropped{0}, evicted{0}, write_errors{0},
        reader_waits{0};
  } stats_;
  std::thread thread_;
};

} // namespace verge::cache
