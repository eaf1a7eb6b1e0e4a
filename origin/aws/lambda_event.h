// The event a function is invoked with: an HTTP request in payload format 2.0, as HTTP APIs and function URLs send it.
// Pure. Source: API Gateway developer guide, "AWS Lambda proxy integrations for HTTP APIs"; Lambda developer guide,
// "Invoking Lambda function URLs".
#pragma once

#include <string>
#include <string_view>

#include "origin/origin.h"
#include "proxy/base/clock.h"
#include "proxy/http/message.h"

namespace verge::origin::aws {

// True if AWS would hand such a body to a function as text: text/*, application/json, application/xml,
// application/javascript. All else comes in Base64, also forms and what has no type, and handlers count on it.
bool is_text_type(std::string_view content_type) noexcept;

// The event as JSON text. `body` is the whole request body (empty: none). Octets in fields or query that are not UTF-8
// become U+FFFD, since JSON has no place for them.
std::string lambda_event(const http::RequestHead& head, const ClientInfo& client, std::string_view body, WallTime now);

} // namespace verge::origin::aws
