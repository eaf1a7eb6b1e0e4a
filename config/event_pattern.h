// The kind of value that `when` is: an event pattern as EventBridge has it, so that one from AWS can be pasted as it
// is.
#pragma once

#include <string>

#include "config/events.h"
#include "config/reader.h"

namespace verge::config {

// A mapping stands for nested fields, all of which must fit. A scalar, or a list, stands for a value: one of the list's
// items must hold. An item is the value itself or one of {prefix: x}, {suffix: x}, {wildcard: "a*b"},
// {equals-ignore-case: x}, {exists: true or false}, {anything-but: x, [x, y], or one of {prefix: x}, {suffix: x},
// {wildcard: x}, each with one x or a list}. Other words of EventBridge (numeric, cidr, $or) are faults that say so.
struct Pattern {
  std::string type() const { return "event pattern"; }
  std::string range() const { return ""; }
  std::string show(const EventPattern&) const { return ""; }
  void read(Reader& reader, const Node& node, EventPattern& out) const;
};

} // namespace verge::config
