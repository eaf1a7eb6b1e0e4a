// Entry: the place where an origin and its clients meet. One Fill writes it, any number of Readers on any loop read it,
// while it grows and after. Body octets live in Blocks of kBlockBytes; Block i is chunk i on disk.
//
// States: waiting_head -> open -> complete, or failed from either. Thread-safe as a whole: an open Entry takes its own
// mutex for short, a complete one is read without a lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "cache/entry/stored_head.h"
#include "proxy/base/block.h"
#include "proxy/base/executor.h"
#include "proxy/base/result.h"

namespace verge::cache {

class Reader;
class BodyStore; // where chunks that left RAM are read from: lmdb/disk.h implements it

// Reads chunks of bodies that are (partly) on disk. Thread-safe.
class BodyStore {
 public:
  virtual ~BodyStore() = default;
  using Done = std::move_only_function<void(Result<BlockRef>)>;
  // Chunk `n` of body `id`, copied into a Block of its size. Returned at once when its pages are in memory; else null,
  // and `done` runs on `on` when a reader thread has it. Error not_found: evicted in the meantime; storage: damaged.
  virtual Result<BlockRef> read_chunk(uint64_t body_id, uint32_t n, Executor& on, Done done) = 0;
  // While pinned, the body's chunks are not evicted. Pins are counted.
  virtual void pin(uint64_t body_id) = 0;
  virtual void unpin(uint64_t body_id) = 0;
};

enum class EntryState : uint8_t { waiting_head, open, complete, failed };

class Entry : public std::enable_shared_from_this<Entry> {
 public:
  // `seq`: the invalidation sequence when the Fetch is sent. `body_store` may be null (no disk tier).
  Entry(uint64_t seq, BodyStore* body_store);
  // A complete Entry over what disk or RAM holds. `blocks` may be empty with a body_id: then every chunk is on disk.
  static std::shared_ptr<Entry> complete_from(HeadRef head, std::vector<BlockRef> blocks, uint64_t length,
                                              uint64_t body_id, BodyStore* body_store);
  ~Entry();
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  EntryState state() const noexcept { return state_.load(std::memory_order_acquire); }
  HeadRef head() const;                   // null while waiting_head
  uint64_t length() const noexcept;       // octets of body published so far; final once complete
  uint64_t seq() const noexcept { return seq_; }
  Error error() const;                    // why it failed
  bool in_ram() const noexcept;           // complete, with every Block here
  uint64_t body_id() const noexcept { return body_id_.load(std::memory_order_acquire); }
  size_t ram_bytes() const noexcept;      // what its Blocks and head cost

  // --- the producer's side (Fill only; one thread) ---
  // Publishes the head. `keep`: hold every Block (storable, fits RAM); else Blocks go once on disk (`on_disk` called)
  // or, with `pass`, once every Reader has read them.
  enum class Keep : uint8_t { all, until_on_disk, until_read };
  void open(HeadRef head, Keep keep);
  void append(std::string_view octets);   // publishes at once: readers see octets before the Block is full
  void complete();                        // length is final; a head without content_length gets a copy with it
  void fail(Error error);
  // Chunks [0, n) of `body_id` are committed. From any thread.
  void on_disk(uint64_t body_id, uint32_t chunks);
  // The disk will not take (more of) it: Blocks stay until every Reader has read them. From any thread.
  void not_on_disk();
  // Full Blocks from chunk `from` on (and the last, partial one once complete): what the writer stores.
  std::vector<BlockRef> full_blocks(uint32_t from) const;
  // Octets held in Blocks beyond what is on disk (until_on_disk) or beyond the slowest Reader (until_read): the
  // producer pauses above its window. `resume` is posted to `on` once, when the backlog falls below `below`.
  uint64_t backlog() const;
  void when_backlog_below(uint64_t below, Executor& on, Task resume);
  size_t readers() const;
  // Posted to `on` when the last Reader leaves an Entry that is not complete: nobody waits any more.
  void when_abandoned(Executor& on, Task abandoned);

  // --- waiting for the head (followers) ---
  // Posted to `on` once the state is no longer waiting_head (at once if so already).
  void when_opened(Executor& on, Task opened);

 private:
  friend class Reader;
  struct Impl;
  std::atomic<EntryState> state_{EntryState::waiting_head};
  std::atomic<uint64_t> body_id_{0};
  uint64_t seq_;
  std::unique_ptr<Impl> impl_;
};
using EntryRef = std::shared_ptr<Entry>;

// Reader: one client's walk through a body, in order, from `first` to `last`. Lives on one loop thread; destroying it
// detaches and cancels what it waits for. `wake` is run on its loop after next() said wait, at most once per wait.
class Reader {
 public:
  enum class Next : uint8_t { slice, wait, end, failed };
  // last: inclusive; UINT64_MAX: to the end of the body.
  Reader(EntryRef entry, Executor& loop, Task wake, uint64_t first, uint64_t last);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  // slice: `out` holds up to `max` octets and the position moved on. wait: wake follows. end: all was given. failed:
  // the body will never be complete (error()); what was sent must be cut, never ended well.
  Next next(Slice& out, size_t max);
  Error error() const;
  uint64_t position() const noexcept { return position_; }

 private:
  struct State; // shared with callbacks that may outlive the Reader
  EntryRef entry_;
  std::shared_ptr<State> state_;
  uint64_t position_;
  uint64_t last_;
};

} // namespace verge::cache
