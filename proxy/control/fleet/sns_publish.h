// Publishing to an SNS topic, as text: the call and its answer. Pure. Source: the SNS API reference, Publish (query
// protocol, version 2010-03-31).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "proxy/base/result.h"

namespace verge::control {

inline constexpr size_t kSnsMessageBytes = 262'144; // the most of a message that SNS takes

std::string publish_body(std::string_view topic, std::string_view message);

// The MessageId. Errors: retry says whether the same may go through a moment later (throttled, 5xx); `what` has SNS's
// code and words.
Result<std::string> parse_publish_answer(int status, std::string_view body);

} // namespace verge::control
