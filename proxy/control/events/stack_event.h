// CloudFormation's notifications: not JSON but lines of Key='Value'. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "proxy/base/result.h"

namespace verge::control {

bool is_stack_event(std::string_view text); // begins as they do, with StackId='

// Its keys and values as an object, so that rules match it like any event. A value may span lines: it ends where a line
// ends with ' and the next begins with a key and ='. Error bad_input: something else stands between, or a key stands
// twice.
Result<nlohmann::json> parse_stack_event(std::string_view text);

// Is it about the stack itself, not one of its resources, and has it come to an end: _COMPLETE or _FAILED? One such
// event comes a deployment, and dozens of others.
bool is_end_of_stack(const nlohmann::json& event);

} // namespace verge::control
