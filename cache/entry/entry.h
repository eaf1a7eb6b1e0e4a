// Entry: the place where an origin and its clients meet. One Fill writes it, any number of Readers on any loop read it,
// while it grows and after. Body octets live in Blocks of kBlockBytes; Block i is chunk i on disk.
//
// States: waiting_head -> open -> complete, or failed from either. Thread-safe as a whole: an open Entry takes its own
// mutex for short, a complete one in RAM is read without a lock.
//
// Every Executor and the BodyStore given to an Entry or Reader must outlive it. Tasks are posted without a lock held.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "cache/entry/stored_head.h"
#include "proxy/base/block.h"
#include "proxy/base/executor.h"
#include "proxy/base/result.h"

namespace verge::cache {

class Reader;
struct ReaderState;

// Reads chunks of bodies that are (partly) on disk. Thread-safe.
class BodyStore {
 public:
  virtual ~BodyStore() = default;
  using Done = std::move_only_function<void(Result<BlockRef>)>;
  // Chunk `n` of body `id`, copied into a Block of its size. Returned at once when its pages are in memory; else null,
  // and `done` runs on `on` when a reader thread has it. Error not_found: evicted in the meantime; storage: damaged.
  virtual Result<BlockRef> read_chunk(uint64_t body_id, uint32_t n, Executor& on, Done done) = 0;
  // While pinned, the body's chunks are not evicted. Pins are counted. An Entry pins its body from its first Reader, or
  // from when its first Block leaves RAM, until the Entry ends; one that is wholly in RAM never does.
  virtual void pin(uint64_t body_id) = 0;
  virtual void unpin(uint64_t body_id) = 0;
};

enum class EntryState : uint8_t { waiting_head, open, complete, failed };

class Entry : public std::enable_shared_from_this<Entry> {
 public:
  // `seq`: the invalidation sequence when the Fetch is sent. `body_store` may be null (no disk tier). Always made by
  // pool::make_shared or std::make_shared.
  Entry(uint64_t seq, BodyStore* body_store);
  // A complete Entry over what disk or RAM holds. A Block that is null or beyond the end of `blocks` is read from chunk
  // n of `body_id`; all others are exactly their size. Its seq is the head's.
  static std::shared_ptr<Entry> complete_from(HeadRef head, std::vector<BlockRef> blocks, uint64_t length,
                                              uint64_t body_id, BodyStore* body_store);
  ~Entry();
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  EntryState state() const noexcept { return state_.load(std::memory_order_acquire); }
  HeadRef head() const; // null while waiting_head
  // The head of a complete Entry, which changes no more and lives as long as it.
  const StoredHead& settled_head() const noexcept;
  uint64_t length() const noexcept; // octets of body published so far; final once complete
  uint64_t seq() const noexcept { return seq_; }
  Error error() const;          // why it failed
  bool in_ram() const noexcept; // complete, with every Block here
  uint64_t body_id() const noexcept { return body_id_.load(std::memory_order_acquire); }
  size_t ram_bytes() const noexcept; // what its Blocks and head cost
  // Answers given from it while it has been in memory; beyond the first few, a loop may tell of several at once, so
  // that loops that give the same answer don't write to one line. Any thread.
  void count_hit(uint64_t n = 1) noexcept { hits_.fetch_add(n, std::memory_order_relaxed); }
  uint64_t hits() const noexcept { return hits_.load(std::memory_order_relaxed); }
  // How often it was asked for since it came into its queue of the RAM tier, kMostUses at most. Any thread; once it is
  // at its most nothing is written any more, so that those who look share the line.
  static constexpr uint8_t kMostUses = 3;
  void use() noexcept {
    if (const uint8_t n = uses(); n < kMostUses) set_uses(static_cast<uint8_t>(n + 1));
  }
  uint8_t uses() const noexcept { return uses_.load(std::memory_order_relaxed); }
  void set_uses(uint8_t n) noexcept { uses_.store(n, std::memory_order_relaxed); }
  // Nothing that was invalidated up to this seq touches it: at least its head's, more where somebody has looked. What
  // one found is true for all, so that each invalidation is held against a response once and not for every hit.
  void found_live(uint64_t seq) noexcept { live_at_.store(seq, std::memory_order_relaxed); }
  uint64_t live_at() const noexcept { return live_at_.load(std::memory_order_relaxed); }

  // --- the producer's side (Fill only; one thread) ---
  // Publishes the head. `keep`: hold every Block (storable, fits RAM); else Blocks go once on disk (`on_disk` called)
  // or, with `pass`, once every Reader has read them.
  enum class Keep : uint8_t { all, until_on_disk, until_read };
  void open(HeadRef head, Keep keep);
  // Publishes at once: readers see octets before the Block is full. Beyond the head's content_length the Entry fails
  // with bad_input (side origin); the caller sees it in state().
  void append(std::string_view octets);
  // Length is final; a head without content_length gets a copy with it. Short of it: fails with bad_input. The last
  // Block is then exactly its size.
  void complete();
  void fail(Error error); // ignored once complete or failed
  // The body outgrew what `all` may hold: Blocks may go from now on. Has no effect unless Keep is `all`; until_on_disk
  // becomes until_read if the disk has already refused.
  void keep_less(Keep keep);
  Keep keep() const;
  // Chunks [0, n) of `body_id` are committed. From any thread.
  void on_disk(uint64_t body_id, uint32_t chunks);
  // The disk will not take (more of) it: Blocks stay until every Reader has read them. From any thread.
  void not_on_disk();
  // Full Blocks from chunk `from` on (and the last, partial one once complete): what the writer stores.
  // Ends before the first Block that has left RAM.
  std::vector<BlockRef> full_blocks(uint32_t from) const;
  // All Blocks so far, null where they have left RAM.
  std::vector<BlockRef> blocks() const;
  // Octets held in Blocks beyond what is on disk (until_on_disk) or beyond the slowest Reader (until_read): the
  // producer pauses above its window. `resume` is posted to `on` once, when the backlog falls below `below` (at once if
  // so already).
  uint64_t backlog() const;
  void when_backlog_below(uint64_t below, Executor& on, Task resume);
  size_t readers() const; // those that came before it was complete and have not reached their end
  // Posted to `on`, once, when the last Reader leaves an Entry that is not complete, or when it falls to until_read
  // without any: nobody waits any more.
  void when_abandoned(Executor& on, Task abandoned);
  // Posted to `on`, once, when nothing more will come from the disk: complete with every chunk on disk, refused by the
  // disk, or failed (at once if so already).
  void when_settled(Executor& on, Task settled);

  // --- waiting for the head (followers) ---
  // Posted to `on` once the state is no longer waiting_head (at once if so already).
  void when_opened(Executor& on, Task opened);

 private:
  friend class Reader;
  struct Impl;
  std::atomic<EntryState> state_{EntryState::waiting_head};
  std::atomic<uint64_t> body_id_{0};
  std::atomic<uint64_t> hits_{0};
  std::atomic<uint64_t> live_at_{0};
  std::atomic<uint8_t> uses_{0};
  uint64_t seq_;
  std::unique_ptr<Impl> impl_;
};
using EntryRef = std::shared_ptr<Entry>;

// Reader: one client's walk through a body, in order, from `first` to `last`. Lives on one loop thread; destroying it
// detaches and cancels what it waits for. `wake` is run on its loop after next() said wait, at most once per wait; it
// may destroy the Reader. While it waits for nothing and the body is in RAM it costs no allocation and no lock.
class Reader {
 public:
  enum class Next : uint8_t { slice, wait, end, failed };
  // last: inclusive; UINT64_MAX: to the end of the body.
  Reader(EntryRef entry, Executor& loop, Task wake, uint64_t first, uint64_t last);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  // slice: `out` holds up to `max` octets and the position moved on. wait: wake follows. end: all was given. failed:
  // the body will never be complete (error()); what was sent must be cut, never ended well. Errc::closed on the first
  // call: it came too late for the beginning of a body that is not kept; ask anew.
  Next next(Slice& out, size_t max);
  Error error() const;
  uint64_t position() const noexcept { return position_; }

 private:
  Next next_growing(Slice& out, size_t max);
  Next from_disk(uint32_t chunk, uint64_t length, Slice& out, size_t max);
  Next give(const BlockRef& block, uint64_t length, Slice& out, size_t max);
  Next failed(Error error);
  ReaderState& state();

  EntryRef entry_;
  Executor& loop_;
  Task wake_;                          // moved into state_ once there is one
  std::shared_ptr<ReaderState> state_; // shared with callbacks that may outlive the Reader; made when first needed
  uint64_t position_;
  uint64_t last_;
};

} // namespace verge::cache
