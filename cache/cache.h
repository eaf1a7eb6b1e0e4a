// Cache: RAM tier, disk tier, flights and epochs behind one face; what the pipeline's lookup, join and admit rooms use.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cache/entry/entry.h"
#include "cache/invalidate/epochs.h"
#include "cache/listing.h"
#include "cache/lmdb/disk.h"
#include "cache/ram/ram_tier.h"
#include "proxy/base/clock.h"
#include "proxy/base/executor.h"
#include "proxy/base/result.h"

namespace verge::cache {

struct CacheOptions {
  DiskOptions disk; // path empty: RAM only
  uint64_t memory_bytes = 256ull << 20;
  uint64_t ram_object_bytes = 1ull << 20;    // larger bodies are not kept in RAM
  uint64_t fill_window_bytes = 4ull << 20;   // how far a storing Fill may run ahead of the disk
  uint64_t pass_window_bytes = 256ull << 10; // how far a passing Fill may run ahead of its reader
  Millis uncacheable_memory{10'000};         // how long a key found private is remembered, so that nobody queues for it
};

enum class Tier : uint8_t { none, ram, disk };

// The producer's handle on an Entry, on the loop of its Fetch. Destroying an unfinished one fails the Entry
// (Errc::closed, side self) and ends its flight. Window and storing are looked after here. `resume` and `abandoned` may
// destroy it.
class Fill {
 public:
  virtual ~Fill() = default;
  // May be another one after opening: the leader makes its Reader then. entry()->seq() is the head's seq.
  virtual const EntryRef& entry() const noexcept = 0;
  // Head is here and may be stored: opens the Entry, begins storing. Followers wake. A response that proves to be too
  // large for what there is (RAM only), or was invalidated on the way, is delivered and not stored.
  virtual void open_storing(HeadRef head) = 0;
  // Like open_storing, while what comes is still looked at: only the leader reads it, at once; whoever else waits goes
  // on waiting, and nothing goes to disk. settle() comes after at most the first Block, and before complete().
  virtual void open_on_trial(HeadRef head) = 0;
  // The trial is over. Kept: others may have it from here on. Not kept: it goes on for its leader alone.
  virtual void settle(bool keep) = 0;
  // Head is here and must not be stored: the leader gets an Entry of its own, waiting followers are let go (they see
  // State::failed with Errc::refused, side self, and fetch for themselves), the key is remembered as uncacheable.
  virtual void open_passing(HeadRef head) = 0;
  // False: stop reading from the origin until `resume` (given at join) runs. True on a failed Entry (the body ran
  // beyond its declared length: see entry()->state()): there is nothing to wait for, the Fetch can be cancelled.
  virtual bool append(std::string_view octets) = 0;
  virtual void complete() = 0;
  virtual void fail(Error error) = 0;
  // Ends the flight without a body (a 304 came; call refresh() first): followers look up again (State::failed with
  // Errc::closed, side self).
  virtual void abandon() = 0;
};

// Thread-safe. Outlives its Fills, and the Entries it gave out; Executors given to it outlive it, or are not run any
// more.
class Cache {
 public:
  static Result<std::unique_ptr<Cache>> open(const CacheOptions& options, const Clock& clock);
  virtual ~Cache() = default;

  struct Lookup {
    EntryRef entry = {}; // null: none that is not dead
    Tier tier = Tier::none;
    Verdict verdict = Verdict::live; // never dead
    bool other_variants = false;     // the key is known with other Vary values
    bool pending = false;            // cold: `done` follows on `on`
    bool absent = false;             // nothing is stored under this key, in whatever variant
  };
  using LookupDone = std::move_only_function<void(Lookup)>;
  // RAM, then disk; dead entries are not found. `done` runs (on `on`, never inside) only if pending was returned.
  // `front`: what the caller's loop found lately, and what it looked for in vain; null: that is not known.
  virtual Lookup lookup(std::string_view key, const http::Headers& request, Executor& on, LookupDone done,
                        RamFront* front = nullptr) = 0;

  // The half of lookup() that never waits: what RAM holds under this very key, or that nothing is stored under it, if
  // that settles it; else neither entry nor absent, and lookup() is to be asked.
  virtual Lookup held(std::string_view /*key*/, const http::Headers& /*request*/, RamFront& /*front*/) { return {}; }

  // What held() gave for `key` just now, to be given to whoever asks for it by this loop without looking; none: it
  // depends on more than the key. It is the answer as long as still() says so, which counts as asking for it; holds()
  // asks no more than whether it is in memory yet.
  virtual std::optional<RamKept> keep(std::string_view /*key*/, const EntryRef& /*entry*/, RamFront& /*front*/) {
    return std::nullopt;
  }
  virtual bool still(const RamKept& /*kept*/) { return false; }
  virtual bool holds(const RamKept& /*kept*/) const { return false; }

  // RAM only, live only: what may have come to rest between a lookup that missed and a join that found nobody fetching.
  virtual EntryRef arrived(std::string_view /*key*/, const http::Headers& /*request*/, RamFront& /*front*/) {
    return nullptr;
  }

  // The Entry of a flight that join() would let a caller follow; null: none.
  virtual EntryRef flying(std::string_view /*key*/) { return nullptr; }

  // The latest response of `key` was not to be stored, a moment ago; how long that is believed. For join().
  virtual std::optional<MonoTime> known_uncacheable(std::string_view /*key*/) const { return std::nullopt; }

  // Stored responses of `key` whatever they vary on, the newest first, at most `most`: those in RAM that are live. (On
  // disk variants lie by the hash of what selects them: they can be found, not listed.)
  virtual std::vector<EntryRef> variants(std::string_view /*key*/, size_t /*most*/) { return {}; }

  struct Join {
    std::unique_ptr<Fill> fill; // set: you are the one who fetches
    EntryRef entry;             // set otherwise: somebody is fetching; wait for it by Entry::when_opened
  };
  // Collapses concurrent misses of one key. A flight begun before an invalidation that covers the key is not joined (a
  // tag may be any response's until its head is here), nor one whose response has gone stale meanwhile. A key
  // remembered as uncacheable gives every caller a Fill of its own; `uncacheable`: what known_uncacheable() said of it
  // when the caller asked, if he did: believed without looking again. `resume` is run on `loop` when append() may go
  // on; `abandoned` when no Reader is left on an Entry that can't be stored.
  virtual Join join(std::string_view key, Executor& loop, Task resume, Task abandoned,
                    std::optional<MonoTime> uncacheable = {}) = 0;
  // A Fill nobody can join (pass: unsafe methods, private, no-store requests).
  virtual std::unique_ptr<Fill> solo(Executor& loop, Task resume, Task abandoned) = 0;

  // A 304 freshened it: same body, new head, in RAM and on disk. Returns the Entry to serve.
  virtual EntryRef refresh(const EntryRef& entry, HeadRef head) = 0;
  // The same body under another head, for one request: nothing is stored.
  virtual EntryRef with_head(const EntryRef& entry, HeadRef head) = 0;
  // A response stored for one variant proved right for another too, the head's: it is stored as that as well, if its
  // body is in RAM. Returns the Entry to serve.
  virtual EntryRef adopt(const EntryRef& entry, HeadRef head) = 0;
  // Drops one response (unsafe methods use invalidate()).
  virtual void erase(const EntryRef& entry) = 0;

  // Applies at once; `done` gets the seq on `on` when it is synced to disk (at once without a disk tier), or an error
  // storage if it could not be made durable: then do not acknowledge. `note`, if any, is asked when the command holds,
  // before this returns, and what it says becomes durable together with it.
  using NoteOf = std::move_only_function<Note(uint64_t seq)>;
  virtual void invalidate(Invalidation command, Executor& on, std::move_only_function<void(Result<uint64_t>)> done,
                          NoteOf note = nullptr) = 0;

  // Who invalidates names URLs; what they are stored under may be another text. `settle` adds to a command what its
  // targets stand for, in every invalidate() from now on, on the caller's thread. It takes the former one's place.
  using Settle = std::function<void(Invalidation&)>;
  virtual void settle_with(Settle settle) = 0;

  // The command as invalidate() would apply it.
  virtual Invalidation settled(Invalidation command) { return command; }

  // Forgets the commands that nothing stored is older than: what is stored is looked through, a little at a time, on
  // `on` and a reader thread, and `done` gets how many were forgotten. Not while an earlier call is under way.
  virtual void forget(Executor& /*on*/, std::move_only_function<void(size_t)> /*done*/) {}

  // The responses in memory that `command` has ended (or marked stale) and that were asked for more than once, those
  // most asked for first, at most `most`. A little at a time on `on`; `done` as well.
  struct Hot {
    HeadRef head;
    uint64_t hits = 0;
  };
  virtual void hot(Invalidation /*command*/, size_t /*most*/, Executor& /*on*/,
                   std::move_only_function<void(std::vector<Hot>)> /*done*/) {}

  // A page of what is stored, dead and stale included: `after` is 0 or the `next` of the page before. `done` runs on
  // `on`.
  virtual void list(uint64_t after, size_t most, Wanted wanted, Executor& on,
                    std::move_only_function<void(Listing)> done) = 0;
  // What is known of one key: all its variants in memory and on disk, the dead too. `done` runs on `on`.
  virtual void inspect(std::string_view key, Executor& on, std::move_only_function<void(std::vector<Listed>)> done) = 0;

  // See Epochs::guard() and tell().
  virtual void guard(WallTime /*proved*/) {}
  virtual void tell(Reception /*reception*/, WallTime /*proved*/) {}

  virtual const Epochs& epochs() const noexcept = 0;
  virtual Disk* disk() noexcept = 0; // null: RAM only
  struct Stats {
    uint64_t ram_entries = 0, ram_bytes = 0, flights = 0;
    uint64_t ram_heads = 0, ram_bodies = 0, ram_index = 0; // parts of ram_bytes
    DiskStats disk;
  };
  virtual Stats stats() const = 0;
  // What each site may take on disk, by site_id: see Disk::set_quotas.
  virtual void set_quotas(std::unordered_map<uint64_t, uint64_t> /*by_site*/) {}
  virtual void flush() = 0;
};

} // namespace verge::cache
