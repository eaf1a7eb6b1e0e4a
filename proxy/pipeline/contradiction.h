// Heads that no origin may send to what it was asked (RFC 9110 section 15): there is no right way to pass such an
// answer on, and it is never stored. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "proxy/http/message.h"

namespace verge::pipeline {

// Why `response` can't be the answer to `sent`, a request as it went to the origin: for the log. None: it can.
std::optional<std::string_view> contradiction(const http::RequestHead& sent, const http::ResponseHead& response);

} // namespace verge::pipeline
