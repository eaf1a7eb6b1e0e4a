// What the configuration says of events: which ones mean an invalidation, and the queues they come from.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace verge::config {

// One condition on one value of an event, in the words of EventBridge.
struct EventTest {
  enum class Kind : uint8_t { equals, equals_ignore_case, prefix, suffix, wildcard, exists, anything_but };
  Kind kind = Kind::equals;
  std::vector<std::string> values; // exists: none; equals and its like: one; anything_but: none of these
  bool exists = true;              // of exists
  Kind but = Kind::equals;         // of anything_but: how values are compared (equals, prefix, suffix, wildcard)
  bool operator==(const EventTest&) const = default;
};

// Either tests of one value, of which one must hold, or fields, all of which must fit.
struct EventPattern {
  std::vector<EventTest> any;
  std::vector<std::pair<std::string, EventPattern>> fields;
  bool operator==(const EventPattern&) const = default;
};

struct RulePurge {
  std::vector<std::string> hosts, paths, tags;
  bool all = false, soft = false;
  bool operator==(const RulePurge&) const = default;
};

struct EventRule {
  EventPattern when;
  RulePurge purge;
  bool operator==(const EventRule&) const = default;
};

} // namespace verge::config
