// Heads that no origin may send to what it was asked (RFC 9110 section 15): there is no right way to pass such an
// answer on, and it is never stored. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "proxy/http/message.h"

namespace verge::pipeline {

// Does this request, as it goes to the origin, allow for a 304?
bool is_conditional(const http::RequestHead& sent) noexcept;
// Why `response` can't be the answer to what was sent: for the log. None: it can.
std::optional<std::string_view> contradiction(bool conditional, const http::ResponseHead& response) noexcept;

} // namespace verge::pipeline
