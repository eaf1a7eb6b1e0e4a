#include "proxy/control/events/event_taker.h"

#include <fmt/core.h>

#include <array>
#include <map>
#include <memory>

#include "proxy/base/log.h"
#include "proxy/base/metrics.h"

namespace verge::control {
namespace {

constexpr size_t kMostTold = 1'000; // kinds; a sender that makes up new ones shall not fill memory

constexpr std::array kOutcomes = {EventOutcome::applied,   EventOutcome::repeated,  EventOutcome::nothing,
                                  EventOutcome::unmatched, EventOutcome::malformed, EventOutcome::refused,
                                  EventOutcome::later};

// One family, a row for each way in and outcome.
struct Counters {
  std::map<std::pair<Door, EventOutcome>, std::unique_ptr<metrics::Counter>> rows;
  Counters() {
    for (const Door door : {Door::sns, Door::sqs, Door::push}) {
      for (const auto outcome : kOutcomes) {
        rows[{door, outcome}] = std::make_unique<metrics::Counter>(
            "verge_events_total", fmt::format("source=\"{}\",result=\"{}\"", to_string(door), to_string(outcome)),
            "Events of proved senders by the way they came and what became of them: applied, repeated (known by its "
            "id), nothing (asks for none, or an older change of an object), unmatched (no rule fits), malformed, "
            "refused (beyond the source's limits), later (not on disk).");
      }
    }
  }
};
const Counters g_counters;

} // namespace

std::string_view to_string(EventOutcome outcome) noexcept {
  switch (outcome) {
    case EventOutcome::applied: return "applied";
    case EventOutcome::repeated: return "repeated";
    case EventOutcome::nothing: return "nothing";
    case EventOutcome::unmatched: return "unmatched";
    case EventOutcome::malformed: return "malformed";
    case EventOutcome::refused: return "refused";
    case EventOutcome::later: break;
  }
  return "later";
}

void EventTaker::count(Door door, EventOutcome outcome) { g_counters.rows.at({door, outcome})->add(); }

void EventTaker::take(std::string_view text, EventFrom from, Done done) {
  const Door door = from.door;
  if (!reader_) {
    count(door, EventOutcome::later);
    return done(EventOutcome::later, "the node is starting");
  }
  auto meant = reader_->read(text, from.other_prefix, sequencers_);
  if (!meant) {
    count(door, EventOutcome::malformed);
    return done(EventOutcome::malformed, meant.error().what);
  }
  if (!meant->command) {
    const auto outcome = meant->matched ? EventOutcome::nothing : EventOutcome::unmatched;
    count(door, outcome);
    if (meant->matched) {
      log::debug("events", "{} {} asks for nothing: {} (id {})", to_string(door), from.who, meant->reason, from.id);
    } else if (told_.size() < kMostTold && told_.insert(meant->event).second) {
      log::info("events", "{} {}: {}; acknowledged, and so will be all others of its kind (id {})", to_string(door),
                from.who, meant->reason, from.id);
    }
    return done(outcome, meant->reason);
  }
  PurgeCommand command{.door = door,
                       .who = std::move(from.who),
                       .event = std::move(meant->event),
                       .what = std::move(*meant->command),
                       .limits = from.limits};
  // What one node took has the same id on all; else a message has its sender's.
  if (command.what.id.empty()) command.what.id = std::move(from.id);
  engine_.apply(std::move(command), [this, door, changes = std::move(meant->changes),
                                     done = std::move(done)](Result<Purged> purged) mutable {
    if (!purged) {
      const bool refused = purged.error().code == Errc::refused;
      const auto outcome = refused ? EventOutcome::refused : EventOutcome::later;
      count(door, outcome);
      return done(outcome, purged.error().what);
    }
    for (const auto& change : changes) sequencers_.dealt_with(change);
    const auto outcome = purged->repeated ? EventOutcome::repeated : EventOutcome::applied;
    count(door, outcome);
    done(outcome, fmt::format("purge seq={}", purged->seq));
  });
}

} // namespace verge::control
