// Env: the LMDB environment of one cache directory: opened, checked and locked; set aside when it isn't ours to read.
#pragma once

#include <lmdb.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "cache/lmdb/accounts.h"
#include "cache/lmdb/layout.h"
#include "proxy/base/clock.h"
#include "proxy/base/handle.h"
#include "proxy/base/result.h"

namespace verge::cache {

inline std::string_view view(const MDB_val& v) noexcept { return {static_cast<const char*>(v.mv_data), v.mv_size}; }
// LMDB takes what it only reads by pointer to mutable.
inline MDB_val val(std::string_view s) noexcept { return {s.size(), const_cast<char*>(s.data())}; }
inline MDB_val val(const IndexKey& k) noexcept { return val(std::string_view(k.data(), k.size())); }

class Env {
 public:
  struct Tables {
    MDB_dbi index = 0, body = 0, epoch = 0, sys = 0, note = 0;
  };

  // Makes the directory, takes its lock, opens data.mdb. One that is damaged, cut, or of another version or machine is
  // renamed to data.mdb.set-aside-<unix time> (only the newest such file is kept) and an empty one made. Error storage:
  // not possible for a reason that a new file would not mend; `what` says what to do.
  static Result<std::unique_ptr<Env>> open(const std::string& path, uint64_t map_bytes, const Clock& clock);
  // Sets this file aside too and begins an empty one. Only while nobody reads or writes.
  Result<> start_anew(std::string_view why, const Clock& clock);
  ~Env();
  Env(const Env&) = delete;
  Env& operator=(const Env&) = delete;

  MDB_env* handle() const noexcept { return env_.get(); }
  const Tables& tables() const noexcept { return tables_; }
  uint64_t seed() const noexcept { return seed_; }
  uint64_t page_bytes() const noexcept { return page_bytes_; }
  uint64_t map_bytes() const noexcept { return map_bytes_; }
  Accounts& accounts() const noexcept { return *accounts_; }

  // Pages in use by all tables as `txn` sees them, LMDB's own included. A handful of additions.
  uint64_t pages_used(MDB_txn* txn) const;
  // Keeps the file a little longer than its last used page (a hole, no blocks), so that a file that is too short at
  // start was cut by somebody else: reading past its end would be SIGBUS. After every commit; by the writer only.
  void extend();
  // Is the file still as long as what is in use? False: it was cut while we run. One system call, on a loop no more
  // than one a turn.
  bool intact() const noexcept;

 private:
  Env() = default;
  struct Opened {
    int rc = 0;           // LMDB's, 0: fine
    bool foreign = false; // opened, but not ours, damaged, or cut
    std::string why;
  };
  Opened try_open(const std::string& path);
  Opened check_size();
  Opened open_tables();
  void make_map_roomy();
  Result<> lock(const std::string& path);

  std::string path_;
  int lock_fd_ = -1;
  Handle<MDB_env, mdb_env_close> env_;
  int data_fd_ = -1; // LMDB's
  Tables tables_;
  uint64_t seed_ = 0, page_bytes_ = 4096, map_bytes_ = 0;
  const std::unique_ptr<Accounts> accounts_ = std::make_unique<Accounts>();
  std::atomic<uint64_t> needed_bytes_{0};
  uint64_t file_bytes_ = 0;
};

} // namespace verge::cache
