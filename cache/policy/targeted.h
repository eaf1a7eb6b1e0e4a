// Targeted fields (RFC 9213), such as CDN-Cache-Control: directives for caches like us, as a Structured Fields
// dictionary. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "cache/policy/cache_control.h"
#include "proxy/http/headers.h"

namespace verge::policy {

// What the field `name` (lower case) says. None when it is absent or empty, or anything in it breaks the grammar of
// RFC 9651 section 3.2: then it is as if it were not there. A directive of a wrong type is passed over, but a no-store,
// no-cache or private of any type but false is kept: to err there would show one client's answer to another.
std::optional<ResponseDirectives> targeted_directives(const http::Headers& headers, std::string_view name);

} // namespace verge::policy
