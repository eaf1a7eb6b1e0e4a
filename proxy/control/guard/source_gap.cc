#include "proxy/control/guard/source_gap.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

namespace verge::control {
namespace {

// Clocks are read at different moments of one turn; what lies further ahead was written under another time.
constexpr Millis kAhead{1'000};

bool take_number(std::string_view& text, int64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end == text.data() + text.size() || *end != ' ') return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()) + 1);
  return true;
}

} // namespace

Millis elapsed(Moment from, Moment to) noexcept {
  return std::max({Millis{0}, Millis(to.wall - from.wall), Millis(to.mono - from.mono)});
}

std::string to_note(const Proof& proof) {
  return fmt::format("{} {} {}", proof.at.wall.time_since_epoch().count(), proof.at.mono.time_since_epoch().count(),
                     proof.boot);
}

std::optional<Proof> proof_from_note(std::string_view text) {
  int64_t wall = 0, mono = 0;
  if (!take_number(text, wall) || !take_number(text, mono)) return std::nullopt;
  return Proof{{WallTime(Millis(wall)), MonoTime(Millis(mono))}, std::string(text)};
}

SourceGap::SourceGap(Limits limits, const std::optional<Proof>& last, std::string_view boot, Moment now)
    : limits_(limits), heard_(now) {
  if (!last || last->at.wall > now.wall + kAhead) {
    unknown_ = true;
    open({WallTime{}, now.mono}, now, last ? Why::clock : Why::no_proof, true);
    return;
  }
  Moment since = last->at;
  // Another boot's monotonic time says nothing here.
  if (boot.empty() || last->boot != boot) since.mono = now.mono - (now.wall - last->at.wall);
  open(since, now, Why::restart, true);
}

void SourceGap::open(Moment since, Moment now, Why why, bool wait) noexcept {
  if (wait) not_before_ = std::max(not_before_, now.mono + limits_.hidden);
  if (since_) return;
  since_ = since;
  opened_ = now;
  why_ = why;
  guarded_.reset();
}

void SourceGap::heard(Moment began) noexcept {
  if (began.mono > heard_.mono) heard_ = began;
}

void SourceGap::lost(Moment now, bool unsure) noexcept { open(heard_, now, Why::unreadable, unsure); }

void SourceGap::look(Moment now) noexcept {
  if (!since_ && elapsed(heard_, now) > limits_.bound) open(heard_, now, Why::silence, limits_.posted);
}

bool SourceGap::proves(Moment began) const noexcept { return since_ && began.mono >= not_before_; }

bool SourceGap::lost_some(Moment now) const noexcept {
  // Who posts gave up while nobody listened; a queue lets go of messages until they are read.
  return since_ && (unknown_ || elapsed(*since_, limits_.posted ? opened_ : now) > limits_.kept);
}

void SourceGap::close(Moment began) noexcept {
  since_.reset();
  guarded_.reset();
  unknown_ = false;
  why_ = Why::none;
  heard_ = began;
}

cache::Reception SourceGap::state(Moment now) const noexcept {
  if (!since_) return cache::Reception::current;
  return unknown_ || elapsed(*since_, now) > limits_.bound ? cache::Reception::guarded : cache::Reception::behind;
}

bool SourceGap::guard_due(Moment now) const noexcept {
  if (state(now) != cache::Reception::guarded) return false;
  if (!guarded_) return true;
  const Moment good = heard_.mono > guarded_->mono ? heard_ : *guarded_;
  return elapsed(good, now) > limits_.bound;
}

std::optional<Proof> SourceGap::proof(std::string boot) const {
  if (unknown_) return std::nullopt;
  return Proof{proved(), std::move(boot)};
}

std::string_view to_string(SourceGap::Why why) noexcept {
  switch (why) {
    case SourceGap::Why::none: return "";
    case SourceGap::Why::restart: return "the node was down";
    case SourceGap::Why::no_proof: return "no earlier run has left word until when it had read all";
    case SourceGap::Why::clock: return "the clock was set back: nobody knows for how long the node was down";
    case SourceGap::Why::unreadable: return "it could not be read";
    case SourceGap::Why::silence: return "the node stood still, or did not get done with what it had read";
  }
  return "";
}

} // namespace verge::control
