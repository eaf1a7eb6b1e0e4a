// EventTaker: what every way in does with the text of an event once its sender is proved: understand it, purge what it
// asks for, remember the order of objects' changes. Control loop only.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "proxy/control/events/event_reader.h"
#include "proxy/control/events/sequencers.h"
#include "proxy/control/purge_engine.h"

namespace verge::control {

struct EventFrom {
  Door door = Door::sns;
  std::string who;                     // topic, queue: never a secret
  std::string id;                      // its sender's; empty: none
  std::string_view other_prefix = {};  // see Buckets
  const PurgeLimits* limits = nullptr; // null: none
};

// What became of it. `applied` is durable; `later`: not on disk, so it is not dealt with.
enum class EventOutcome : uint8_t { applied, repeated, nothing, unmatched, malformed, refused, later };
std::string_view to_string(EventOutcome outcome) noexcept;

class EventTaker {
 public:
  // The engine outlives the taker, and the taker whatever runs on its loop. Until use() is called no text is
  // understood: each is `later`.
  explicit EventTaker(PurgeEngine& engine) : engine_(engine) {}
  void use(EventReader reader) { reader_ = std::move(reader); }
  EventTaker(const EventTaker&) = delete;
  EventTaker& operator=(const EventTaker&) = delete;

  // `done` runs on the loop, perhaps before this returns, with what became of it and why. Counts it; logs what asks for
  // nothing, and a kind that no rule fits once. What is malformed, refused or late is the caller's to log.
  using Done = std::move_only_function<void(EventOutcome outcome, const std::string& why)>;
  void take(std::string_view text, EventFrom from, Done done);

 private:
  void count(Door door, EventOutcome outcome);
  std::optional<EventReader> reader_;
  PurgeEngine& engine_;
  Sequencers sequencers_;
  std::set<std::string, std::less<>> told_; // kinds that no rule fits
};

} // namespace verge::control
