// What others see of the writer: handing in, waiting, counting; and its loop.
#include "cache/lmdb/writer.h"

#include <algorithm>

#include "proxy/base/log.h"

namespace verge::cache {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr auto kTick = std::chrono::seconds(1);
constexpr auto kReaderCheck = std::chrono::seconds(30);
constexpr uint64_t kChargeLimit = 4ull << 20; // a growing Entry holds no more than its window in memory

} // namespace

Writer::Writer(const DiskOptions& options, Parts parts, State state)
    : options_(options),
      parts_(parts),
      state_(state),
      old_end_(parts.epochs, parts.pins, parts.recency,
               [this](uint64_t id) {
                 return writing_.contains(id) ||
                        std::ranges::any_of(doomed_, [id](const Doomed& d) { return d.id == id; });
               }),
      // What is freed can be used two transactions later: three batches must fit the headroom.
      batch_limit_(std::clamp<uint64_t>(options.batch_bytes, kBlockBytes, parts.env.map_bytes() / 64)),
      next_id_(state.next_id) {
  count();
  thread_ = std::thread([this] { run(); });
}

Writer::~Writer() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

bool Writer::store(const EntryRef& entry) {
  const uint64_t length = entry->length();
  const HeadRef head = entry->head();
  if (!head || head->no_body) return false;
  const uint64_t declared = head->content_length.value_or(0);
  const bool whole = entry->state() == EntryState::complete;
  bool wakes = false;
  const uint64_t charge = 1'024 + (whole ? length : std::min(std::max(length, declared), kChargeLimit));
  {
    const std::lock_guard lock(mutex_);
    if (jobs_.contains(entry.get())) return true;
    if (stop_ || !writable_.load() || broken_.load() || queued_bytes_ + charge > options_.queue_bytes ||
        std::max(length, declared) > parts_.env.map_bytes() / 4) {
      stats_.stores_dropped.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    auto job = std::make_shared<Job>();
    job->entry = entry;
    job->charge = charge;
    job->seen = length;
    queued_bytes_ += charge;
    jobs_.emplace(entry.get(), job);
    // Nothing is written of one that has just begun: its poke will come.
    job->queued = whole || length >= kBlockBytes;
    if (job->queued) wakes = hand_in({std::move(job), {}}, length, false);
  }
  if (wakes) wake_.notify_one();
  return true;
}

void Writer::poke(const EntryRef& entry) {
  bool wakes = false;
  {
    const std::lock_guard lock(mutex_);
    const auto it = jobs_.find(entry.get());
    if (it == jobs_.end() || it->second->queued) return;
    const JobRef& job = it->second;
    const uint64_t length = entry->length();
    // Only full chunks are written before the end.
    if (entry->state() == EntryState::open && length / kBlockBytes == job->seen / kBlockBytes) return;
    const uint64_t more = length - job->seen;
    job->seen = length;
    job->queued = true;
    wakes = hand_in({job, {}}, more, false);
  }
  if (wakes) wake_.notify_one();
}

void Writer::submit(WriteStep step, bool urgent) {
  bool wakes = false;
  {
    const std::lock_guard lock(mutex_);
    const uint64_t bytes = step.bytes;
    wakes = hand_in({nullptr, std::move(step)}, bytes, urgent);
  }
  if (wakes) wake_.notify_one();
}

bool Writer::hand_in(Op op, uint64_t bytes, bool urgent) {
  const bool sleeps = ops_.empty(), waits = !enough();
  fresh_bytes_ += bytes;
  urgent_ = urgent_ || urgent;
  ops_.push_back(std::move(op));
  ++ticket_;
  return sleeps || (waits && enough());
}

bool Writer::enough() const { return urgent_ || stop_ || fresh_bytes_ >= batch_limit_ / 2; }

void Writer::flush() {
  std::unique_lock lock(mutex_);
  if (hand_in({nullptr, WriteStep{}}, 0, true)) wake_.notify_one();
  const uint64_t mine = ticket_;
  done_.wait(lock, [&] { return finished_ >= mine || stop_; });
}

DiskStats Writer::stats() const {
  DiskStats s;
  s.entries = stats_.entries.load();
  s.bytes_used = stats_.bytes_used.load();
  s.map_bytes = parts_.env.map_bytes();
  s.stores = stats_.stores.load();
  s.stores_dropped = stats_.stores_dropped.load();
  s.evicted = stats_.evicted.load();
  s.write_errors = stats_.write_errors.load();
  s.reader_waits = stats_.reader_waits.load();
  s.writable = writable_.load() && !broken_.load();
  return s;
}

void Writer::give_up(const char* why) {
  if (broken_.exchange(true)) return;
  log::error("lmdb", "{}: the disk tier is off until the next start", why);
}

void Writer::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto work = [this] { return !ops_.empty() || stop_; };
    if (!wake_.wait_for(lock, kTick, work)) {
      lock.unlock();
      idle();
      lock.lock();
      continue;
    }
    wake_.wait_for(lock, options_.batch_time, [this] { return enough(); });
    auto ops = std::exchange(ops_, {});
    for (const auto& op : ops) {
      if (op.job) op.job->queued = false;
    }
    const uint64_t ticket = ticket_;
    const bool flushing = urgent_;
    urgent_ = false;
    fresh_bytes_ = 0;
    lock.unlock();

    if (flushing && !writable_.load()) retry_at_ = {}; // somebody waits: don't wait for the time
    for (auto& op : ops) {
      if (op.job)
        plan(op.job);
      else if (op.step.run)
        add(std::move(op.step));
    }
    ops.clear();
    execute();
    idle();

    lock.lock();
    finished_ = ticket;
    done_.notify_all();
    if (stop_ && ops_.empty()) break;
  }
  // What still grows will not be finished; its chunks have no record and die at the old end.
  auto jobs = std::exchange(jobs_, {});
  lock.unlock();
  for (auto& [entry, job] : jobs) job->entry->not_on_disk();
}

void Writer::idle() {
  const auto now = SteadyClock::now();
  if (!writable_.load()) try_again();
  if (doomed_due()) execute();
  if (now < reader_check_at_) return;
  reader_check_at_ = now + kReaderCheck;
  int dead = 0;
  mdb_reader_check(parts_.env.handle(), &dead);
  parts_.pins.sweep(parts_.clock.mono());
  const std::lock_guard lock(mutex_);
  for (auto& [entry, job] : jobs_) { // those whose producer went without a word
    if (!job->queued && entry->state() == EntryState::failed) {
      job->queued = true;
      ops_.push_back({job, {}});
    }
  }
}

} // namespace verge::cache
