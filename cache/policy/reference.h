// URI references in responses, as cache keys (RFC 3986 section 5, as far as an origin's Location needs). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/http/message.h"

namespace verge::policy {

// The key text of what `reference` (Location, Content-Location) names, seen from the request's own URI. None: another
// origin (RFC 9111 section 4.4 forbids touching it), another scheme, or not a URI reference.
std::optional<std::string> same_origin_key(const http::RequestHead& request, std::string_view reference);

} // namespace verge::policy
