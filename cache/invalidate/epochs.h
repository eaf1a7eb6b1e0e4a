// Epochs: what was invalidated, as numbers. An invalidation changes a number and touches no data, so it costs the same
// for one URL and for the whole site. A response carries the seq that was current when its Fetch was sent; it is dead
// if a hard seq that covers it is higher, stale if a soft one is.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"

namespace verge::cache {

struct Target {
  enum class Kind : uint8_t { all, exact, pattern, tag };
  Kind kind = Kind::all;
  std::string host; // lower case, no port; empty: every host; of `all` also "*.example.org": all hosts below it
  // exact: path and query as in the key ("/a?b"). pattern: the same with `*` for any run of characters, "/" and "?"
  // included ("/img/*" is kept in a path tree; inner `*` in a list). tag: lower case, or a group of RFC 9875
  // (policy/groups.h). all: empty.
  std::string value;
};

struct Invalidation {
  std::vector<Target> targets;
  bool soft = false;                          // mark stale instead of dead
  std::string source;                         // "sns arn:...", "admin", for the log and the list
  std::string id;                             // the sender's id (SNS MessageId); repeating one is harmless
  std::optional<bool> refetch = std::nullopt; // what was asked for often is fetched again; none: as configured
};

// "/index.html", "/img/*", "https://www.example.com/a*", "www.example.com/a", "*": what users write, as a Target. Paths
// are brought to normal form. Error bad_input says what is wrong with it.
Result<Target> parse_target(std::string_view text);

// As users write it: "/a", "https://www.example.com/img/*", "/*" for everything; a tag as "#tag", on one host with
// " on www.example.com" behind it.
std::string to_text(const Target& target);

// Does the target name a response with this key and these tags? What check() decides by its maps, for one target.
bool covers(const Target& target, std::string_view key_text, const std::vector<std::string>& tags);

// stale: a soft invalidation covers it. guarded: one may that this node has not read; the origin is asked before it is
// used, and a 304 makes it good again.
enum class Verdict : uint8_t { live, stale, guarded, dead };

// What is known of the invalidations that were published so far: all were read; some may not have been, for so short a
// time that what is stored is used as usual; what is older than the guard is not used unasked.
enum class Reception : uint8_t { current, behind, guarded };

// A row as it is persisted, and listed.
struct EpochRow {
  Target target;
  uint64_t hard = 0, soft = 0; // seq; 0: never
};

class Epochs {
 public:
  Epochs();
  ~Epochs();
  Epochs(const Epochs&) = delete;
  Epochs& operator=(const Epochs&) = delete;

  // The seq a new Fetch carries. One atomic load.
  uint64_t current() const noexcept { return current_.load(std::memory_order_acquire); }
  // Takes the next seq and applies all targets to it; effective for every check() that starts after it returns. The
  // rows that changed are appended to `changed`, to be persisted. Returns the seq. Thread-safe.
  uint64_t apply(const Invalidation& command, std::vector<EpochRow>& changed);
  // Puts a persisted row back at start.
  void restore(const EpochRow& row);
  void restore_current(uint64_t seq);
  // Is a response with this key and these tags, fetched at `seq`, still good? One atomic load when nothing was
  // invalidated since; else tags + path segments. Thread-safe.
  Verdict check(std::string_view key_text, const std::vector<std::string>& tags, uint64_t seq) const;
  // Everything fetched before this call is guarded from now on. Costs a seq, so that what is fetched or validated later
  // can be told apart; nothing is to be persisted. `proved`: until when every invalidation was read. Thread-safe.
  void guard(WallTime proved);
  // Ends it, as does every lesser word: one atomic store.
  void tell(Reception reception, WallTime proved);
  Reception reception() const noexcept { return reception_.load(std::memory_order_relaxed); }
  // Since when invalidations may have been missed, unless all were read.
  WallTime proved() const noexcept { return WallTime(Millis(proved_.load(std::memory_order_relaxed))); }

  // The latest of what check() would count against such a response, for people; the seqs are those of its command.
  // None: nothing does. Slow: looks at every row.
  std::optional<EpochRow> blame(std::string_view key_text, const std::vector<std::string>& tags, uint64_t seq) const;
  // Forgets rows that nothing stored is older than, `most` of them, the oldest first. Returns what they named, to be
  // forgotten on disk as well. Whatever should turn up that is older nevertheless is dead from now on.
  std::vector<Target> forget_below(uint64_t oldest_stored_seq, size_t most);
  size_t size() const;

 private:
  struct Impl;
  std::atomic<uint64_t> current_{1};
  std::atomic<Reception> reception_{Reception::current};
  std::atomic<uint64_t> floor_{0}; // lower seqs are guarded
  std::atomic<int64_t> proved_{0};
  std::unique_ptr<Impl> impl_;
};

} // namespace verge::cache
