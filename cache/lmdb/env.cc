#include "cache/lmdb/env.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <random>

#include "proxy/base/block.h"
#include "proxy/base/log.h"
#include "proxy/base/turn.h"

namespace verge::cache {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kAhead = 8ull << 20;    // more than one batch writes
constexpr uint64_t kLeastMap = 4ull << 20; // below it the headroom holds no batch
constexpr unsigned kFlags = MDB_NOTLS | MDB_NORDAHEAD | MDB_NOMETASYNC;

auto storage(std::string what) { return fail(Errc::storage, std::move(what)); }

auto cannot(const std::string& path, std::string_view why) {
  return storage(fmt::format("{}/data.mdb: {}; check the directory's rights and free space", path, why));
}

// Would an empty file in its place help? Not when the place is the problem.
bool mended_by_new_file(int rc) {
  return rc == MDB_INVALID || rc == MDB_VERSION_MISMATCH || rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND ||
         rc == MDB_INCOMPATIBLE || rc == MDB_PANIC || rc == EINVAL;
}

void set_aside(const std::string& path, const Clock& clock, std::string_view why) {
  const fs::path dir(path);
  std::error_code ec;
  for (fs::directory_iterator it(dir, ec), end; !ec && it != end; it.increment(ec)) {
    // A second one would keep its disk space for ever, and nobody looks at the older.
    if (it->path().filename().string().starts_with("data.mdb.set-aside-")) fs::remove(it->path(), ec);
  }
  const auto seconds = std::chrono::duration_cast<Seconds>(clock.wall().time_since_epoch()).count();
  const fs::path to = dir / fmt::format("data.mdb.set-aside-{}", seconds);
  ec.clear();
  fs::rename(dir / "data.mdb", to, ec);
  std::error_code ignored;
  fs::remove(dir / "lock.mdb", ignored);
  log::warn("lmdb", "{}/data.mdb can't be used ({}): set aside as {}, starting empty{}", path, why, to.string(),
            ec ? ": " + ec.message() : "");
}

} // namespace

Result<> Env::lock(const std::string& path) {
  const std::string file = path + "/verge.lock";
  lock_fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_fd_ < 0)
    return storage(fmt::format("{}: {}; the directory must be writable by this user", file, std::strerror(errno)));
  if (::flock(lock_fd_, LOCK_EX | LOCK_NB) != 0) {
    char pid[32] = {};
    const auto n = ::pread(lock_fd_, pid, sizeof pid - 1, 0);
    return storage(fmt::format("{} is in use by another process{}{}; stop it, or give this one another cache path",
                               path, n > 0 ? ", pid " : "", n > 0 ? pid : ""));
  }
  const auto pid = std::to_string(::getpid());
  if (::ftruncate(lock_fd_, 0) != 0 || ::pwrite(lock_fd_, pid.data(), pid.size(), 0) < 0) {
    // Only the pid in the other's error message would be missing.
  }
  return {};
}

Result<std::unique_ptr<Env>> Env::open(const std::string& path, uint64_t map_bytes, const Clock& clock) {
  std::error_code ec;
  fs::create_directories(path, ec);
  if (ec) return storage(fmt::format("cache directory {}: {}", path, ec.message()));
  std::unique_ptr<Env> env(new Env);
  if (auto locked = env->lock(path); !locked) return std::unexpected(std::move(locked).error());
  env->path_ = path;
  env->map_bytes_ = std::max<uint64_t>(map_bytes / 4096 * 4096, kLeastMap);
  auto opened = env->try_open(path);
  if (opened.foreign) {
    if (auto fresh = env->start_anew(opened.why, clock); !fresh) return std::unexpected(std::move(fresh).error());
  } else if (opened.rc != 0) {
    return cannot(path, opened.why);
  }
  return env;
}

Result<> Env::start_anew(std::string_view why, const Clock& clock) {
  env_.reset();
  file_bytes_ = 0;
  set_aside(path_, clock, why);
  const auto opened = try_open(path_);
  if (opened.rc != 0 || opened.foreign) return cannot(path_, opened.why);
  return {};
}

Env::~Env() {
  env_.reset();
  if (lock_fd_ >= 0) ::close(lock_fd_);
}

Env::Opened Env::try_open(const std::string& path) {
  const auto result = [](int rc) { return Opened{rc, mended_by_new_file(rc), mdb_strerror(rc)}; };
  MDB_env* raw = nullptr;
  if (const int rc = mdb_env_create(&raw); rc != 0) return {rc, false, mdb_strerror(rc)};
  env_.reset(raw);
  mdb_env_set_maxdbs(raw, 8);
  mdb_env_set_maxreaders(raw, 512);
  mdb_env_set_mapsize(raw, map_bytes_);
  if (const int rc = mdb_env_open(raw, path.c_str(), kFlags, 0600); rc != 0) return result(rc);
  mdb_env_get_fd(raw, &data_fd_);
  if (auto size = check_size(); size.foreign) return size;
  int dead = 0;
  mdb_reader_check(raw, &dead);
  auto tables = open_tables();
  if (tables.rc != 0 || tables.foreign) return tables;
  make_map_roomy();
  extend();
  return tables;
}

Env::Opened Env::check_size() {
  MDB_stat stat;
  MDB_envinfo info;
  mdb_env_stat(env_.get(), &stat);
  mdb_env_info(env_.get(), &info);
  page_bytes_ = stat.ms_psize;
  struct stat file{};
  if (::fstat(data_fd_, &file) != 0) return {errno, false, std::strerror(errno)};
  const uint64_t needed = (info.me_last_pgno + 1) * page_bytes_;
  if (static_cast<uint64_t>(file.st_size) < needed)
    return {0, true, fmt::format("cut: {} octets where {} are in use", file.st_size, needed)};
  needed_bytes_ = needed;
  return {};
}

// What lies in it may be more than a map made smaller since the last start holds, and LMDB needs room to delete in.
void Env::make_map_roomy() {
  MDB_txn* txn = nullptr;
  if (mdb_txn_begin(env_.get(), nullptr, MDB_RDONLY, &txn) != 0) return;
  const uint64_t live = pages_used(txn) * page_bytes_;
  mdb_txn_abort(txn);
  if (live > map_bytes_ / 20 * 19) mdb_env_set_mapsize(env_.get(), needed_bytes_.load() + kAhead);
}

Env::Opened Env::open_tables() {
  const auto result = [](int rc) { return Opened{rc, mended_by_new_file(rc), mdb_strerror(rc)}; };
  MDB_txn* raw = nullptr;
  if (const int rc = mdb_txn_begin(env_.get(), nullptr, 0, &raw); rc != 0) return result(rc);
  Handle<MDB_txn, mdb_txn_abort> txn(raw);
  MDB_dbi main = 0;
  MDB_stat stat;
  if (const int rc = mdb_dbi_open(raw, nullptr, 0, &main); rc != 0) return result(rc);
  if (const int rc = mdb_stat(raw, main, &stat); rc != 0) return result(rc);
  const bool fresh = stat.ms_entries == 0;

  Format format;
  MDB_val key = val(kFormatName), value;
  int rc = mdb_dbi_open(raw, "sys", fresh ? MDB_CREATE : 0, &tables_.sys);
  if (rc == MDB_NOTFOUND) return {0, true, "not a cache of Verge"};
  if (rc != 0) return result(rc);
  if (fresh) {
    format.chunk = kBlockBytes;
    std::random_device random;
    format.seed = (uint64_t{random()} << 32) | random();
    const std::string encoded = encode(format);
    value = val(encoded);
    if (rc = mdb_put(raw, tables_.sys, &key, &value, 0); rc != 0) return result(rc);
  } else {
    rc = mdb_get(raw, tables_.sys, &key, &value);
    const auto found = rc == 0 ? decode_format(view(value)) : std::nullopt;
    if (!found) return {0, true, "not a cache of Verge, or its format record is damaged"};
    const Format ours{kFormatVersion, format.order, format.word, kBlockBytes, found->seed};
    if (found->version != ours.version)
      return {0, true, fmt::format("format version {}, this program's is {}", found->version, ours.version)};
    if (found->order != ours.order || found->word != ours.word || found->chunk != ours.chunk)
      return {0, true, "written on another kind of machine"};
    format = *found;
  }
  seed_ = format.seed;
  const std::pair<const char*, MDB_dbi*> tables[] = {
      {"index", &tables_.index}, {"body", &tables_.body}, {"epoch", &tables_.epoch}, {"note", &tables_.note}};
  for (const auto& [name, dbi] : tables) {
    if (rc = mdb_dbi_open(raw, name, MDB_CREATE, dbi); rc != 0) return result(rc);
  }
  if (rc = mdb_txn_commit(txn.release()); rc != 0) return result(rc);
  return {};
}

uint64_t Env::pages_used(MDB_txn* txn) const {
  constexpr MDB_dbi kFree = 0, kMain = 1; // LMDB's own two tables
  uint64_t pages = 2;                     // the meta pages
  for (const MDB_dbi dbi : {kFree, kMain, tables_.index, tables_.body, tables_.epoch, tables_.sys, tables_.note}) {
    MDB_stat s;
    if (mdb_stat(txn, dbi, &s) == 0) pages += s.ms_branch_pages + s.ms_leaf_pages + s.ms_overflow_pages;
  }
  return pages;
}

void Env::extend() {
  MDB_envinfo info;
  mdb_env_info(env_.get(), &info);
  const uint64_t needed = (info.me_last_pgno + 1) * page_bytes_;
  needed_bytes_.store(needed, std::memory_order_relaxed);
  if (file_bytes_ == 0) {
    struct stat file{};
    if (::fstat(data_fd_, &file) == 0) file_bytes_ = static_cast<uint64_t>(file.st_size);
  }
  if (file_bytes_ >= needed + kAhead / 2) return;
  const uint64_t to = std::max(std::min(needed + kAhead, map_bytes_), needed);
  if (to <= file_bytes_ || ::ftruncate(data_fd_, static_cast<off_t>(to)) != 0) return; // full: tried again next time
  file_bytes_ = to;
}

bool Env::intact() const noexcept {
  struct Seen {
    const Env* env = nullptr;
    uint64_t turn = 0;
  };
  thread_local Seen seen; // whole
  if (this_turn != 0 && seen.turn == this_turn && seen.env == this) return true;
  struct stat file{};
  const bool whole = ::fstat(data_fd_, &file) == 0 &&
                     static_cast<uint64_t>(file.st_size) >= needed_bytes_.load(std::memory_order_relaxed);
  if (whole) seen = {this, this_turn};
  return whole;
}

} // namespace verge::cache
