// SourceGap: has every invalidation of one source been read, and if not, since when? Pure: values and times given.
//
// A source is a queue of this node's own, or those who post events to it. While a source answers there is no gap. A gap
// opens when the source can't be read, when nothing was heard of it for longer than the bound (the process stood
// still), and at the start, since the last proof that an earlier run left. It closes only when all that was published
// meanwhile must have been read: when the queue was found empty; for posted events when whoever failed to post must
// have tried again. Until the bound the node goes on as usual (behind); from then on it is guarded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cache/invalidate/epochs.h"
#include "proxy/base/clock.h"

namespace verge::control {

struct Moment {
  WallTime wall{};
  MonoTime mono{};
};
// The longer of what the two clocks say, never negative: a wall clock that was set back does not shorten it, nor does a
// machine that slept, whose monotonic clock stood still.
Millis elapsed(Moment from, Moment to) noexcept;

// The last moment at which everything had been read, as it is kept across restarts.
struct Proof {
  Moment at;
  std::string boot; // the machine's boot that `at.mono` belongs to
};
// As a note and back; none: it is not one.
std::string to_note(const Proof& proof);
std::optional<Proof> proof_from_note(std::string_view text);

class SourceGap {
 public:
  struct Limits {
    Millis bound{60'000};     // how long a node that may have missed something goes on as usual
    Millis kept{345'600'000}; // how long the source keeps what was not read; after a longer gap some is lost
    // How long a message may stay out of sight though it was published: given out to a call that has gone, as every
    // end of the node leaves one behind, or waiting to be posted again.
    Millis hidden{25'000};
    bool posted = false; // events are posted: nothing tells that all are here but time
  };
  enum class Why : uint8_t { none, restart, no_proof, clock, unreadable, silence };

  // A node that has nothing stored has missed nothing that matters.
  SourceGap(Limits limits, Moment now) : limits_(limits), heard_(now) {}
  // A node that starts with stored responses; `last`: what an earlier run left.
  SourceGap(Limits limits, const std::optional<Proof>& last, std::string_view boot, Moment now);

  // The source answered a call that began then.
  void heard(Moment began) noexcept;
  // It did not answer. `unsure`: it may have given out messages that never came.
  void lost(Moment now, bool unsure) noexcept;
  // Time has passed: opens a gap if nothing was heard for too long.
  void look(Moment now) noexcept;

  // Did a call that began then, and found nothing while nothing was under way, prove that all is read? Then close().
  bool proves(Moment began) const noexcept;
  // Was the gap so long that the source has let go of some? Or nobody knows how long it was.
  bool lost_some(Moment now) const noexcept;
  void close(Moment began) noexcept;

  cache::Reception state(Moment now) const noexcept;
  // Is what was stored or validated before `now` to be guarded from here on? True when the guard begins, and again each
  // time that the bound has passed while the source can't be read: what was validated meanwhile is then as old as the
  // bound allows. Call guard() when it was done.
  bool guard_due(Moment now) const noexcept;
  void guard(Moment now) noexcept { guarded_ = now; }

  Why why() const noexcept { return why_; }
  bool unknown() const noexcept { return unknown_; } // nobody knows how long the gap is
  Moment proved() const noexcept { return since_.value_or(heard_); }
  bool open() const noexcept { return since_.has_value(); }
  // To be kept for the next run; none while nobody knows.
  std::optional<Proof> proof(std::string boot) const;

 private:
  void open(Moment since, Moment now, Why why, bool wait) noexcept;

  Limits limits_;
  Moment heard_;                  // the source answered, or all was read
  std::optional<Moment> since_;   // of the gap
  Moment opened_;                 // when it was noticed
  std::optional<Moment> guarded_; // when the guard was put up last
  MonoTime not_before_{};         // proofs that began earlier count for nothing
  Why why_ = Why::none;
  bool unknown_ = false;
};

// "it was restarted", for people.
std::string_view to_string(SourceGap::Why why) noexcept;

} // namespace verge::control
