// Disk: puts environment, readers and writer together.
#include "cache/lmdb/disk.h"

#include <fmt/core.h>

#include <algorithm>

#include "cache/lmdb/env.h"
#include "cache/lmdb/lookup.h"
#include "cache/lmdb/pins.h"
#include "cache/lmdb/read_scope.h"
#include "cache/lmdb/reader_threads.h"
#include "cache/lmdb/recent_chunks.h"
#include "cache/lmdb/residency.h"
#include "cache/lmdb/warming.h"
#include "cache/lmdb/writer.h"
#include "proxy/base/log.h"

namespace verge::cache {
namespace {

// One bit for each response the disk can hold, at a kilobyte each.
uint64_t ring_size(uint64_t map_bytes) { return std::clamp<uint64_t>(map_bytes / 1'024, 1 << 16, 1 << 27); }

class LmdbDisk final : public Disk {
 public:
  LmdbDisk(const DiskOptions& options, const Clock& clock, const Epochs& epochs, std::unique_ptr<Env> env, State state)
      : clock_(clock),
        env_(std::move(env)),
        recency_(ring_size(env_->map_bytes())),
        parked_(*env_),
        warming_(*env_, parked_, recency_.resident),
        writer_(options, {*env_, clock, epochs, pins_, recency_, parked_}, state),
        threads_(options.reader_threads) {
    if (options.warm) threads_.post([this, began = clock.mono()] { warm(began); });
  }

  ~LmdbDisk() override { stopping_ = true; }

  std::optional<Lookup> find_now(std::string_view key, const http::Headers& request) override {
    return look_up(key, request, Touch::resident);
  }

  Lookup find(std::string_view key, const http::Headers& request, Executor& on, LookupDone done) override {
    auto found = look_up(key, request, Touch::resident);
    if (found) return std::move(*found);
    threads_.post([this, key = std::string(key), request, &on, done = std::move(done)]() mutable {
      auto late = look_up(key, request, Touch::all);
      on.post([done = std::move(done), result = std::move(*late)]() mutable { done(std::move(result)); });
    });
    return {.pending = true};
  }

  Result<BlockRef> read_chunk(uint64_t id, uint32_t n, Executor& on, Done done) override {
    auto now = read(id, n, Touch::resident);
    if (!now || *now) return now;
    threads_.post([this, id, n, &on, done = std::move(done)]() mutable {
      on.post([done = std::move(done), late = read(id, n, Touch::all)]() mutable { done(std::move(late)); });
    });
    return BlockRef{};
  }

  void pin(uint64_t id) override { pins_.pin(id); }
  void unpin(uint64_t id) override {
    if (pins_.unpin(id)) recent_.forget(id);
  }
  void touch(uint64_t id) override { recency_.read.mark(id); }

  void list(uint64_t after, size_t most, Wanted wanted, Executor& on,
            std::move_only_function<void(Listing)> done) override {
    threads_.post([this, after, most, wanted = std::move(wanted), &on, done = std::move(done)]() mutable {
      on.post(
          [done = std::move(done), listing = list_now(after, most, wanted)]() mutable { done(std::move(listing)); });
    });
  }

  void list_key(std::string key, Executor& on, std::move_only_function<void(Listing)> done) override {
    threads_.post([this, key = std::move(key), &on, done = std::move(done)]() mutable {
      Listing out;
      {
        const ReadScope scope(parked_);
        if (readable(scope)) {
          for (auto& found : responses_of(*env_, scope.txn(), key)) add(out, std::move(found));
        }
      }
      on.post([done = std::move(done), out = std::move(out)]() mutable { done(std::move(out)); });
    });
  }

  bool store(const EntryRef& entry) override { return writer_.store(entry); }
  void poke(const EntryRef& entry) override { writer_.poke(entry); }
  void count_in(std::shared_ptr<Changes> changes) override { writer_.count_in(std::move(changes)); }

  void update_head(const EntryRef& entry, HeadRef head) override {
    const HeadRef old = entry->head();
    if (!old || !head) return;
    writer_.submit(
        {[old, head, length = entry->length()](WriteTxn& txn) { return txn.replace_head(*old, length, *head); },
         [this, head](const Result<>&) { writer_.came(*head); }, 1'024, false},
        false);
  }

  void erase(std::string_view key, std::string_view vary_values) override {
    writer_.submit({[key = std::string(key), values = std::string(vary_values)](WriteTxn& txn) {
                      return txn.unlink_values(key, values);
                    },
                    {},
                    256,
                    false},
                   false);
  }

  void persist_epochs(std::vector<EpochRow> rows, uint64_t seq, Executor& on,
                      std::move_only_function<void(Result<>)> done, std::optional<Note> note) override {
    const uint64_t bytes = 128 * (rows.size() + 1) + (note ? note->key.size() + note->value.size() + 64 : 0);
    writer_.submit({[this, rows = std::move(rows), seq, note = std::move(note)](WriteTxn& txn) {
                      for (EpochRow row : rows) {
                        const IndexKey at = epoch_key(row.target, env_->seed());
                        const std::string_view k(at.data(), at.size());
                        const bool forgotten = row.hard == 0 && row.soft == 0;
                        // Threads that name the same target hand in their rows in any order: the newest seqs stay.
                        if (const auto before = stored_row(txn, row.target); before && !forgotten) {
                          row.hard = std::max(row.hard, before->hard);
                          row.soft = std::max(row.soft, before->soft);
                        }
                        const int rc = forgotten ? txn.erase(env_->tables().epoch, k)
                                                 : txn.put(env_->tables().epoch, k, encode(row));
                        if (rc != 0) return rc;
                      }
                      txn.state().seq = std::max(txn.state().seq, seq);
                      return note ? txn.put(env_->tables().note, note->key, note->value) : 0;
                    },
                    report(on, std::move(done)), bytes, true},
                   true);
  }

  void forget_epochs(std::vector<Target> targets, uint64_t oldest, Executor& on,
                     std::move_only_function<void(Result<>)> done) override {
    const uint64_t bytes = 128 * (targets.size() + 1);
    writer_.submit({[this, targets = std::move(targets), oldest](WriteTxn& txn) {
                      const MDB_dbi table = env_->tables().epoch;
                      for (const Target& target : targets) {
                        // A command may have been handed in before us that has raised the row again: what lies there
                        // counts.
                        const auto row = stored_row(txn, target);
                        if (!row || std::max(row->hard, row->soft) > oldest) continue;
                        const IndexKey at = epoch_key(target, env_->seed());
                        if (const int rc = txn.erase(table, {at.data(), at.size()}); rc != 0) return rc;
                      }
                      EpochRow all = stored_row(txn, {}).value_or(EpochRow{});
                      all.hard = std::max(all.hard, oldest);
                      const IndexKey at = epoch_key(all.target, env_->seed());
                      return txn.put(table, {at.data(), at.size()}, encode(all));
                    },
                    report(on, std::move(done)), bytes, false},
                   false);
  }

  void put_note(std::string key, std::string value, Executor& on,
                std::move_only_function<void(Result<>)> done) override {
    auto after = report(on, std::move(done));
    if (key.empty() || key.size() > kMaxNoteKey)
      return after(fail(Errc::bad_input, fmt::format("note key of {} octets: 1 to {}", key.size(), kMaxNoteKey)));
    const uint64_t bytes = key.size() + value.size() + 64;
    writer_.submit({[this, key = std::move(key), value = std::move(value)](WriteTxn& txn) {
                      return txn.put(env_->tables().note, key, value);
                    },
                    std::move(after), bytes, true},
                   true);
  }

  std::vector<std::pair<std::string, std::string>> notes(std::string_view prefix) const override {
    std::vector<std::pair<std::string, std::string>> out;
    const ReadScope scope(parked_);
    MDB_cursor* raw = nullptr;
    if (!readable(scope) || mdb_cursor_open(scope.txn(), env_->tables().note, &raw) != 0) return out;
    const Handle<MDB_cursor, mdb_cursor_close> cursor(raw);
    MDB_val key = val(prefix), value;
    int rc = mdb_cursor_get(raw, &key, &value, prefix.empty() ? MDB_FIRST : MDB_SET_RANGE);
    for (; rc == 0 && view(key).starts_with(prefix); rc = mdb_cursor_get(raw, &key, &value, MDB_NEXT))
      out.emplace_back(view(key), view(value));
    return out;
  }

  void erase_notes(std::vector<std::string> keys) override {
    writer_.submit({[this, keys = std::move(keys)](WriteTxn& txn) {
                      for (const auto& key : keys) {
                        if (const int rc = txn.erase(env_->tables().note, key); rc != 0) return rc;
                      }
                      return 0;
                    },
                    {},
                    256,
                    false},
                   false);
  }

  void set_quotas(std::unordered_map<uint64_t, uint64_t> by_site) override {
    env_->accounts().set_quotas(std::move(by_site));
    writer_.submit({[](WriteTxn& txn) {
                      txn.trim();
                      return 0;
                    },
                    {},
                    1'024,
                    false},
                   false);
  }

  DiskStats stats() const override {
    DiskStats out = writer_.stats();
    out.sites = env_->accounts().uses();
    out.warm = warm_.load();
    return out;
  }
  void flush() override { writer_.flush(); }

 private:
  static constexpr size_t kMaxNoteKey = 500; // LMDB's keys end at 511

  bool readable(const ReadScope& scope) const {
    if (scope.txn() == nullptr) return false;
    if (env_->intact()) return true;
    writer_.give_up("the cache file was cut by somebody else");
    return false;
  }

  // None: something cold is in the way.
  std::optional<Lookup> look_up(std::string_view key, const http::Headers& request, Touch touch) {
    FindResult result;
    {
      const ReadScope scope(parked_);
      if (!readable(scope)) return Lookup{};
      result = find_response(*env_, scope.txn(), key, request, touch, recency_.resident);
      // While the scope stands: what is leased now was there when the writer last looked.
      const bool on_disk = result.found.blocks.empty() && result.found.length > 0;
      if (result.get == Get::found && on_disk && !pins_.lease(result.found.id, clock_.mono())) result.get = Get::none;
    }
    if (result.get == Get::cold) return std::nullopt;
    for (const uint64_t id : result.damaged) drop_damaged(key, id);
    Lookup out{.other_variants = result.other_variants, .absent = result.absent};
    if (result.get != Get::found) return out;
    auto& found = result.found;
    recency_.read.mark(found.id);
    out.entry = Entry::complete_from(std::move(found.head), std::move(found.blocks), found.length, found.id, this);
    return out;
  }

  static void add(Listing& out, Next&& found) {
    out.entries.push_back({.head = std::move(found.record->head), .length = found.record->length, .body_id = found.id});
  }

  // Short scopes: see ReadScope.
  Listing list_now(uint64_t after, size_t most, const Wanted& wanted) {
    constexpr size_t kLookedAtOnce = 64, kLookedAtMost = 10'000;
    Listing out;
    size_t looked = 0;
    while (looked < kLookedAtMost && !stopping_.load()) {
      const ReadScope scope(parked_);
      if (!readable(scope)) return out;
      for (size_t i = 0; i < kLookedAtOnce; ++i, ++looked) {
        auto next = next_response(*env_, scope.txn(), after);
        if (next.id == 0) return out;
        after = next.id;
        if (!next.record || !wanted(*next.record->head)) continue;
        add(out, std::move(next));
        if (out.entries.size() == most) {
          out.next = after;
          return out;
        }
      }
    }
    out.next = after;
    return out;
  }

  // Null: cold.
  Result<BlockRef> read(uint64_t id, uint32_t n, Touch touch) {
    if (BlockRef shared = recent_.find(id, n)) return shared;
    const ReadScope scope(parked_);
    if (!readable(scope)) return fail(Errc::storage, "the disk tier is off");
    auto chunk = read_block(*env_, scope.txn(), id, n, touch);
    if (touch == Touch::all && chunk.block) recency_.resident.moved(chunk.block->capacity());
    switch (chunk.get) {
      case Get::found: recent_.keep(id, n, chunk.block); return std::move(chunk.block);
      case Get::cold: return BlockRef{};
      case Get::none: return fail(Errc::not_found, fmt::format("body {} chunk {} was evicted", id, n));
      case Get::damaged: break;
    }
    return fail(Errc::storage, fmt::format("body {} chunk {} is damaged", id, n));
  }

  // Only the way to it; the record itself lies until its turn at the old end.
  void drop_damaged(std::string_view key, uint64_t id) {
    log::warn("lmdb", "body {} of {} is damaged, missing or of another version: dropped", id, key);
    writer_.submit({[key = std::string(key), id](WriteTxn& txn) { return txn.unlink(key, id); }, {}, 256, false},
                   false);
  }

  // A step, then those who wait, then the next.
  void warm(MonoTime began) {
    if (stopping_.load()) return;
    if (warming_.step()) return threads_.post([this, began] { warm(began); });
    warm_.store(true);
    log::info("lmdb", "warm after {} ms: {} rows of the index and the newest {} records are in memory",
              (clock_.mono() - began).count(), warming_.rows(), warming_.records());
  }

  // The epoch row of `target` as it lies on disk now.
  std::optional<EpochRow> stored_row(WriteTxn& txn, const Target& target) const {
    const IndexKey at = epoch_key(target, env_->seed());
    MDB_val key = val(std::string_view(at.data(), at.size())), value;
    return mdb_get(txn.handle(), env_->tables().epoch, &key, &value) == 0 ? decode_epoch_row(view(value))
                                                                          : std::nullopt;
  }

  static std::function<void(const Result<>&)> report(Executor& on, std::move_only_function<void(Result<>)> done) {
    // Shared because std::function wants to be copyable; called once.
    auto held = std::make_shared<std::move_only_function<void(Result<>)>>(std::move(done));
    return [&on, held](const Result<>& result) {
      if (*held) on.post([held, result] { (*held)(result); });
    };
  }

  const Clock& clock_;
  std::unique_ptr<Env> env_;
  Pins pins_;
  RecentChunks recent_;
  Recency recency_;
  std::atomic<bool> stopping_{false};
  mutable ParkedTxns parked_;
  Warming warming_;
  std::atomic<bool> warm_{false};
  mutable Writer writer_;
  ReaderThreads threads_; // last: ends first
};

bool restore_accounts(const Env& env, MDB_txn* txn) {
  env.accounts().clear();
  MDB_cursor* raw = nullptr;
  if (mdb_cursor_open(txn, env.tables().sys, &raw) != 0) return false;
  const Handle<MDB_cursor, mdb_cursor_close> cursor(raw);
  MDB_val key = val(kAccountPrefix), value;
  for (int rc = mdb_cursor_get(raw, &key, &value, MDB_SET_RANGE); rc != MDB_NOTFOUND;
       rc = mdb_cursor_get(raw, &key, &value, MDB_NEXT)) {
    if (rc != 0) return false;
    const auto site = account_site(view(key));
    if (!site) break; // behind them
    auto account = Account::decode(view(value));
    if (!account) return false;
    env.accounts().put(*site, std::move(*account));
  }
  return true;
}

// Epochs, accounts and state as they were persisted. False: damaged.
bool restore(const Env& env, Epochs& epochs, State& state) {
  ParkedTxns parked(env);
  const ReadScope scope(parked);
  if (scope.txn() == nullptr) return false;
  MDB_val key = val(kStateName), value;
  if (mdb_get(scope.txn(), env.tables().sys, &key, &value) == 0) {
    const auto found = decode_state(view(value));
    if (!found) return false;
    state = *found;
  }
  MDB_cursor* raw = nullptr;
  if (mdb_cursor_open(scope.txn(), env.tables().epoch, &raw) != 0) return false;
  const Handle<MDB_cursor, mdb_cursor_close> cursor(raw);
  for (int rc = mdb_cursor_get(raw, &key, &value, MDB_FIRST); rc != MDB_NOTFOUND;
       rc = mdb_cursor_get(raw, &key, &value, MDB_NEXT)) {
    const auto row = rc == 0 ? decode_epoch_row(view(value)) : std::nullopt;
    if (!row) return false;
    epochs.restore(*row);
  }
  epochs.restore_current(state.seq);
  return restore_accounts(env, scope.txn());
}

} // namespace

Result<std::unique_ptr<Disk>> Disk::open(const DiskOptions& options, const Clock& clock, Epochs& epochs) {
  auto env = Env::open(options.path, options.bytes, clock);
  if (!env) return std::unexpected(std::move(env).error());
  State state;
  if (!restore(**env, epochs, state)) {
    // Without all its epochs nothing in it may be served.
    if (auto fresh = (*env)->start_anew("an invalidation record is damaged", clock); !fresh)
      return std::unexpected(std::move(fresh).error());
    (*env)->accounts().clear();
    state = {};
    state.seq = epochs.current();
  }
  return std::make_unique<LmdbDisk>(options, clock, epochs, std::move(*env), state);
}

} // namespace verge::cache
