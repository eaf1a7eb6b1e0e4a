// Does an event fit a rule's pattern? EventBridge's way of matching. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "config/events.h"

namespace verge::control {

// Every field of the pattern must fit. A field the event doesn't have fits only {exists: false}. A list in the event
// fits if one of its items does. Numbers, true, false and null compare by their JSON text, case counts.
bool fits(const config::EventPattern& pattern, const nlohmann::json& event);

} // namespace verge::control
