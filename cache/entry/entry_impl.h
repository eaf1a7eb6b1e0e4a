// What an Entry and its Readers share behind entry.h. Included by entry/*.cc only.
#pragma once

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "cache/entry/entry.h"
#include "proxy/base/pool.h"

namespace verge::cache {

// The part of a Reader that callbacks may still hold when the Reader is gone.
struct ReaderState {
  ReaderState(Executor& on, Task task, uint64_t position) : loop(on), wake(std::move(task)), at(position) {}

  Executor& loop;
  // Loop thread only.
  Task wake;
  bool alive = true;
  bool loading = false;         // a chunk is on its way
  uint32_t chunk_number = 0;    // of `chunk`
  BlockRef chunk;               // read from disk, not yet read to its end
  std::optional<Error> failure; // of this Reader alone

  // Under the Entry's mutex.
  static constexpr size_t kDetached = SIZE_MAX;
  size_t slot = kDetached; // place in Entry::Impl::readers
  uint64_t at;             // everything before it is not needed any more
};

// Runs the wake of a Reader that is still there. The task is moved out meanwhile: it may destroy the Reader.
inline void run_wake(ReaderState& reader) {
  if (!reader.alive || !reader.wake) return;
  Task wake = std::move(reader.wake);
  wake();
  if (reader.alive) reader.wake = std::move(wake);
}

// Gathers what is to be posted while the mutex is held; posts when it ends. Declare it before the lock.
class Wakes {
 public:
  Wakes() = default;
  ~Wakes();
  Wakes(const Wakes&) = delete;
  Wakes& operator=(const Wakes&) = delete;
  void add(std::shared_ptr<ReaderState> reader) { readers_.push_back(std::move(reader)); }
  void add(Executor& on, Task task) { tasks_.emplace_back(&on, std::move(task)); }

 private:
  std::vector<std::shared_ptr<ReaderState>> readers_;
  std::vector<std::pair<Executor*, Task>> tasks_;
};

// A task that is to be posted once.
struct Hook {
  Executor* on = nullptr;
  Task task;
  void fire(Wakes& wakes) {
    if (on != nullptr) wakes.add(*std::exchange(on, nullptr), std::move(task));
  }
};

struct Entry::Impl : pool::Pooled {
  explicit Impl(BodyStore* body_store) : store(body_store) {}

  BodyStore* const store;
  std::atomic<uint64_t> length{0};
  std::atomic<bool> frozen{false}; // head and blocks change no more: read without the mutex
  std::atomic<uint64_t> pinned{0}; // body id that is pinned

  // The producer's own.
  BlockRef tail;                    // the Block being filled; null when the last one is full
  std::optional<uint64_t> declared; // octets that must come

  mutable std::mutex mutex; // of all that follows
  HeadRef head;             // immutable once complete
  Keep keep = Keep::all;
  std::vector<BlockRef> blocks; // those beyond its end are on disk
  bool all_here = false;        // valid once frozen: every Block of the body is in `blocks`
  uint32_t dropped = 0;         // Blocks [0, dropped) have left RAM
  uint32_t disk_chunks = 0;     // chunks [0, disk_chunks) are on disk
  bool refused = false;         // the disk takes no more of it
  Error error;
  std::vector<std::shared_ptr<ReaderState>> readers; // the first `waiting` of them wait for a wake
  size_t waiting = 0;
  std::vector<Hook> openers;
  Hook resume;
  uint64_t resume_below = 0;
  Hook abandoned;
  Hook settled;

  // All of these with the mutex held.
  void attach(std::shared_ptr<ReaderState> reader);
  void detach(ReaderState& reader, bool complete, Wakes& wakes);
  void wait(ReaderState& reader);
  void moved(ReaderState& reader, uint64_t to, Wakes& wakes);
  void wake_readers(Wakes& wakes);
  void drop_below(uint64_t chunks);
  void drop_read();
  uint64_t slowest() const;
  uint64_t backlog() const;
  void check_backlog(Wakes& wakes);
  void check_settled(bool complete, Wakes& wakes);
  bool has_block(size_t n) const { return n < blocks.size() && blocks[n]; }
  bool all_on_disk() const { return uint64_t{disk_chunks} * kBlockBytes >= length.load(std::memory_order_relaxed); }

  void pin(uint64_t body_id); // without the mutex

 private:
  void swap_slots(size_t a, size_t b);
};

} // namespace verge::cache
