// Disk: the LMDB tier. Many readers that live for microseconds, one writer thread that deletes only at the old end.
//
// Tables: `index` (key hash -> body id, vary lists), `body` (id + part -> record and chunks), `epoch`, `note`, `sys`.
// See README.md. Nothing truncated is ever visible: chunks are written first, the record last, in one transaction or
// later.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cache/changes.h"
#include "cache/entry/entry.h"
#include "cache/invalidate/epochs.h"
#include "cache/listing.h"
#include "cache/lmdb/accounts.h"
#include "proxy/base/clock.h"
#include "proxy/base/executor.h"
#include "proxy/base/result.h"

namespace verge::cache {

// A small value that must outlive a restart, by a key of 1 to 500 octets.
struct Note {
  std::string key, value;
};

struct DiskOptions {
  std::string path;             // directory, made if missing
  uint64_t bytes = 10ull << 30; // map size; set at start only
  int reader_threads = 2;
  uint64_t queue_bytes = 64ull << 20; // waiting for the writer; above it stores are dropped
  Millis batch_time{25};              // how long the first of a batch waits for others
  uint64_t batch_bytes = 4ull << 20;
  size_t variants = 32;     // of one key; beyond it the least used goes
  Millis retry_time{3'000}; // after a failed write: how often it is tried again
  // Where no room can be made in a full map: how long a reader is waited for who holds on to what was freed, several
  // times for one batch. Readers take microseconds; but one may lose its core in between.
  Millis reader_patience{250};
  bool warm = true; // walks index and newest records after the start, in the background
};

struct DiskStats {
  uint64_t entries = 0, bytes_used = 0, map_bytes = 0, stores = 0, stores_dropped = 0, evicted = 0, write_errors = 0;
  uint64_t reader_waits = 0;  // see DiskOptions::reader_patience
  std::vector<SiteUse> sites; // what each site's responses take, of those that can be found
  bool writable = true;       // false: disk full or failing; serving goes on
  bool warm = false;          // the walk after the start has ended
};

class Disk : public BodyStore {
 public:
  // Opens or makes the environment, restores epochs into `epochs`. A file of another format version, word size or a
  // damaged one is set aside as <path>/data.mdb.set-aside-<time> with a warning, and an empty one is made. Error
  // storage: the directory can't be made, read, written or locked by us (another process has it); `what` says how to
  // mend it. `clock` and `epochs` outlive the Disk, as does every Executor until its callbacks have come.
  static Result<std::unique_ptr<Disk>> open(const DiskOptions& options, const Clock& clock, Epochs& epochs);

  // The variant of `key` that `request` selects. Found: a complete Entry whose Blocks are in it when small (inline or
  // one warm chunk), else read on demand. Null: none. Cold pages: returns null with pending = true and `done` runs on
  // `on`. A damaged record is a miss, logged and dropped.
  struct Lookup {
    EntryRef entry = {};
    bool pending = false;
    bool other_variants = false;
    bool absent = false; // the index knows nothing of the key
  };
  using LookupDone = std::move_only_function<void(Lookup)>;
  // The half of find() that never waits; none: find() is to be asked.
  virtual std::optional<Lookup> find_now(std::string_view /*key*/, const http::Headers& /*request*/) {
    return std::nullopt;
  }
  virtual Lookup find(std::string_view key, const http::Headers& request, Executor& on, LookupDone done) = 0;

  // Responses with a body id above `after` that `wanted` takes, oldest first, at most `most` of them and not looking at
  // many more than that: what is not there yet comes on the next page. Runs on a reader thread; `done` on `on`.
  virtual void list(uint64_t after, size_t most, Wanted wanted, Executor& on,
                    std::move_only_function<void(Listing)> done) = 0;
  // The same for the variants of one key.
  virtual void list_key(std::string key, Executor& on, std::move_only_function<void(Listing)> done) = 0;

  // Stores an Entry that is open or complete: follows it until it is complete, then writes its meta record; an Entry
  // that fails leaves nothing. The Entry's on_disk()/not_on_disk() are called as it goes. False: the queue is full or
  // the disk not writable; nothing will be stored. Thread-safe.
  virtual bool store(const EntryRef& entry) = 0;
  // The producer has appended or completed: the writer may look again. Cheap; thread-safe.
  virtual void poke(const EntryRef& entry) = 0;
  // Where to count what can be found from now on: when it is committed, and before its Entry hears of that. Before the
  // first store.
  virtual void count_in(std::shared_ptr<Changes> /*changes*/) {}
  // A new head for a stored body (304). Thread-safe.
  virtual void update_head(const EntryRef& entry, HeadRef head) = 0;
  virtual void erase(std::string_view key, std::string_view vary_values) = 0;
  // It was served from memory: counts as a read when its turn at the old end comes. Cheap; thread-safe.
  virtual void touch(uint64_t /*body_id*/) {}

  // Writes epoch rows (with both seqs 0: deletes them), the seq and the note, all or nothing, synced to disk, then runs
  // `done` on `on`. Commands may come in another order than that of their seqs: no seq on disk falls.
  virtual void persist_epochs(std::vector<EpochRow> rows, uint64_t seq, Executor& on,
                              std::move_only_function<void(Result<>)> done, std::optional<Note> note = {}) = 0;
  // Deletes the rows of these targets, but for those that a command above `oldest` has written since, and keeps that
  // whatever is older than `oldest` is dead. Not urgent; `done` on `on`.
  virtual void forget_epochs(std::vector<Target> targets, uint64_t oldest, Executor& on,
                             std::move_only_function<void(Result<>)> done) = 0;
  // Small values that must outlive a restart (seen SNS MessageIds). Synced before `done` runs on `on`.
  virtual void put_note(std::string key, std::string value, Executor& on,
                        std::move_only_function<void(Result<>)> done) = 0;
  virtual std::vector<std::pair<std::string, std::string>> notes(std::string_view prefix) const = 0;
  virtual void erase_notes(std::vector<std::string> keys) = 0;

  // Octets that a site's responses may take, by site_id; those not named have no limit of their own. Beyond it the
  // site's own oldest go. A response larger than the whole quota is not stored.
  virtual void set_quotas(std::unordered_map<uint64_t, uint64_t> /*by_site*/) {}

  virtual DiskStats stats() const = 0;
  // Waits until all that was handed in before is committed, or given up. For tests and the end of the program.
  virtual void flush() = 0;
};

} // namespace verge::cache
