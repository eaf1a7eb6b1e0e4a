// How the writer turns Entries into steps, and steps into transactions.
#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "cache/lmdb/writer.h"
#include "proxy/base/log.h"

namespace verge::cache {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr int kAttempts = 6;             // at a full map, each with more room made
constexpr uint64_t kStepSlack = 256;     // keys, index row, page headers
constexpr uint64_t kBatchSlack = 32'768; // the tree's own pages
constexpr uint64_t kTrialBytes = 1u << 20;
constexpr size_t kDropAtOnce = 256; // chunks of given-up bodies, per transaction

} // namespace

// --- from Entries to steps ---

void Writer::plan(const JobRef& job) {
  if (job->ended) return;
  const Entry& entry = *job->entry;
  const EntryState state = entry.state(); // before the blocks: complete means that the last one is there
  if (state == EntryState::failed || !writable_.load() || broken_.load()) return drop_job(job);
  auto blocks = entry.full_blocks(job->planned);
  // After the blocks: the body grows meanwhile, and a length from before would cut a Block that has become full.
  const uint64_t length = entry.length();
  if (length > parts_.env.map_bytes() / 4) return drop_job(job); // it would push out everything else
  const uint64_t quota = parts_.env.accounts().quota(entry.head()->site);
  if (quota != 0 && length + record_head_bytes(*entry.head()) > quota) return drop_job(job);

  if (state == EntryState::complete) {
    const HeadRef head = entry.head();
    if (parts_.epochs.check(head->key, head->tags, head->seq) == Verdict::dead) return drop_job(job);
  }
  for (auto& block : blocks) {
    const uint64_t left = length - uint64_t{job->planned} * kBlockBytes;
    if (state == EntryState::complete && left <= kBlockBytes) return plan_record(job, length, std::move(block));
    if (left < kBlockBytes) return; // it has become complete just now: its poke is on its way
    plan_chunk(job, std::move(block));
    if (job->ended) return; // the disk refused meanwhile
  }
  if (state != EntryState::complete) return;
  // Blocks can be missing only where the Entry stopped keeping them for us.
  if (uint64_t{job->planned} * kBlockBytes < length) return drop_job(job);
  plan_record(job, length, {});
}

void Writer::number(const JobRef& job, uint64_t bytes) {
  if (job->id != 0) return;
  job->id = next_id_++;
  parts_.recency.born(job->id, bytes);
  writing_.emplace(job->id, job);
}

// A full Block.
void Writer::plan_chunk(const JobRef& job, BlockRef block) {
  number(job, kBlockBytes);
  const uint32_t n = job->planned++;
  add({[id = job->id, n, block](WriteTxn& txn) { return txn.put_chunk(id, n, {block->data(), kBlockBytes}); },
       [this, job, n](const Result<>& done) {
         if (job->ended) return;
         if (!done) return drop_job(job);
         job->on_disk = true;
         job->entry->on_disk(job->id, n + 1);
       },
       kBlockBytes + kStepSlack, false});
}

// `last`: the last Block; null if there is none, or if it was full before it was known for the last.
void Writer::plan_record(const JobRef& job, uint64_t length, BlockRef last) {
  number(job, length);
  const HeadRef head = job->entry->head();
  const uint64_t size = last ? (length - 1) % kBlockBytes + 1 : 0;
  add({[id = job->id, head, length, last, size](WriteTxn& txn) {
         return txn.put_record(id, *head, length,
                               size != 0 ? std::string_view(last->data(), size) : std::string_view{});
       },
       [this, job, head, length](const Result<>& done) {
         came(*head);
         if (job->ended) return;
         if (!done) return drop_job(job);
         stats_.stores.fetch_add(1, std::memory_order_relaxed);
         job->entry->on_disk(job->id, static_cast<uint32_t>((length + kBlockBytes - 1) / kBlockBytes));
         end(job);
       },
       record_head_bytes(*head) + size + kStepSlack, false});
}

// The chunks are the newest in the file and lie side by side, so that deleting them soon leaves no holes; left to the
// old end, aborted downloads could push out everything that is good.
void Writer::drop_job(const JobRef& job) {
  if (job->ended) return;
  job->entry->not_on_disk();
  stats_.stores_dropped.fetch_add(1, std::memory_order_relaxed);
  if (job->on_disk) doomed_.push_back({job->id, job->entry});
  end(job);
}

void Writer::end(const JobRef& job) {
  job->ended = true;
  writing_.erase(job->id);
  const std::lock_guard lock(mutex_);
  queued_bytes_ -= job->charge;
  jobs_.erase(job->entry.get());
}

void Writer::add(WriteStep step) {
  batch_bytes_ += step.bytes;
  batch_.push_back(std::move(step));
  if (batch_bytes_ >= batch_limit_) execute();
}

// --- from steps to transactions ---

void Writer::execute() {
  if (batch_.empty() && !doomed_due()) return;
  int rc = 0;
  if (broken_.load() || !parts_.env.intact()) {
    give_up("the cache file was cut by somebody else");
    rc = MDB_PANIC;
  } else if (!writable_.load() && !try_again()) {
    rc = ENOSPC;
  } else {
    uint64_t bytes = batch_bytes_ + kBatchSlack;
    rc = MDB_MAP_FULL;
    for (int i = 0; i < kAttempts && (rc == MDB_MAP_FULL || rc == MDB_TXN_FULL); ++i, bytes *= 2) {
      // What was freed while somebody reads is of no use before that one has ended.
      if (i > 0) {
        stats_.reader_waits.fetch_add(1, std::memory_order_relaxed);
        parts_.readers.wait_for_readers(options_.reader_patience);
      }
      rc = attempt(bytes, i > 0);
    }
    const bool sync = std::ranges::any_of(batch_, &WriteStep::synced);
    if (rc == 0 && sync) rc = mdb_env_sync(parts_.env.handle(), 1);
    if (rc != 0) failed(rc);
  }
  auto steps = std::exchange(batch_, {});
  batch_bytes_ = 0;
  const Result<> result = rc == 0 ? Result<>{} : std::unexpected(error_of(rc));
  for (auto& step : steps) {
    if (step.after) step.after(result);
  }
}

// One transaction: room for `bytes`, then all steps. More where much must go first, or where the map was full: what is
// freed inside a transaction is of no use to that same one nor to the next.
int Writer::attempt(uint64_t bytes, bool apart) {
  enum class Todo : uint8_t { room, age, steps } todo = apart ? Todo::room : Todo::steps;
  for (int aged = 0;;) {
    WriteTxn txn(parts_.env, state_, {options_.variants, &parts_.recency.read});
    if (const int rc = txn.begin(); rc != 0) return rc;
    // Second chances take ids too: theirs come after those already given out.
    txn.state().next_id = std::max(txn.state().next_id, next_id_);
    OldEnd::Freed freed;
    if (todo != Todo::age) freed = old_end_.make_room(txn, pages_allowed(bytes), batch_limit_, parts_.clock.mono());
    int rc = freed.rc;
    if (rc == 0 && todo == Todo::steps && !freed.more) rc = write_steps(txn);
    if (rc == 0 && todo == Todo::age) rc = txn.put(parts_.env.tables().sys, "trial", "");
    const uint64_t next_id = txn.state().next_id;
    if (rc == 0) rc = txn.commit();
    parts_.pins.absolve();
    if (rc != 0) return rc;
    next_id_ = std::max(next_id_, next_id);
    stats_.evicted.fetch_add(freed.evicted, std::memory_order_relaxed);
    if (freed.more) continue;
    if (todo == Todo::steps) break;
    if (todo == Todo::room || ++aged < 2)
      todo = Todo::age;
    else
      todo = Todo::steps;
  }
  parts_.env.extend();
  count();
  return 0;
}

bool Writer::doomed_due() const {
  return std::ranges::any_of(doomed_, [](const Doomed& d) { return d.entry.expired(); });
}

void Writer::count() {
  MDB_txn* raw = nullptr;
  if (mdb_txn_begin(parts_.env.handle(), nullptr, MDB_RDONLY, &raw) == 0) {
    stats_.bytes_used = parts_.env.pages_used(raw) * parts_.env.page_bytes();
    mdb_txn_abort(raw);
  }
  stats_.entries = state_.entries;
}

int Writer::write_steps(WriteTxn& txn) {
  // Bodies that will never be whole, once nobody reads them any more; a part at a time, since they may be long.
  for (auto it = doomed_.begin(); it != doomed_.end();) {
    if (!it->entry.expired()) {
      ++it;
      continue;
    }
    bool done = false;
    if (const int rc = txn.drop_parts(it->id, kDropAtOnce, done); rc != 0) return rc;
    if (!done) break;
    it = doomed_.erase(it); // should the transaction fail, the old end will find them
  }
  for (const auto& step : batch_) {
    const int rc = step.run(txn);
    if (rc != 0 && rc != MDB_NOTFOUND) return rc;
  }
  return 0;
}

// A tenth of the map stays free: what is freed is of use only two transactions later, and long values want neighbours.
uint64_t Writer::pages_allowed(uint64_t bytes) const {
  const uint64_t page = parts_.env.page_bytes();
  const uint64_t whole = parts_.env.map_bytes() / page / 10 * 9;
  const uint64_t need = bytes / page + 1;
  return need < whole ? whole - need : 0;
}

void Writer::failed(int rc) {
  stats_.write_errors.fetch_add(1, std::memory_order_relaxed);
  if (rc == MDB_MAP_FULL || rc == MDB_TXN_FULL) {
    log::warn("lmdb", "no room could be made for a batch of {} octets: dropped", batch_bytes_);
    return;
  }
  retry_at_ = SteadyClock::now() + options_.retry_time;
  if (writable_.exchange(false))
    log::error("lmdb", "{}: storing stops, serving goes on; tried again every {} ms", error_of(rc).what,
               options_.retry_time.count());
}

// Writes about as much as a batch would, and deletes it: on a full disk something small often still fits.
bool Writer::try_again() {
  if (SteadyClock::now() < retry_at_ || broken_.load()) return false;
  retry_at_ = SteadyClock::now() + options_.retry_time;
  const MDB_dbi sys = parts_.env.tables().sys;
  const std::string trial(std::min<uint64_t>(batch_limit_, kTrialBytes), '\0');
  for (const bool write : {true, false}) {
    WriteTxn txn(parts_.env, state_);
    int rc = txn.begin();
    if (rc == 0) rc = write ? txn.put(sys, "trial", trial) : txn.erase(sys, "trial");
    if (rc == 0) rc = txn.commit();
    if (rc == MDB_MAP_FULL) break; // full of what can be evicted: not the disk's fault
    if (rc != 0) {
      stats_.write_errors.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
  }
  writable_ = true;
  log::info("lmdb", "the cache can be written again");
  return true;
}

Error Writer::error_of(int rc) const {
  // LMDB says "Input/output error" where a write fell short, as it does on a full disk: so say how full it is.
  std::error_code ec;
  const auto space = std::filesystem::space(options_.path, ec);
  const std::string room = ec ? "" : fmt::format(" ({} MiB free there)", space.available >> 20);
  return {Errc::storage, Side::self, Retry::if_idempotent,
          fmt::format("write to {}: {}{}", options_.path, mdb_strerror(rc), room)};
}

} // namespace verge::cache
