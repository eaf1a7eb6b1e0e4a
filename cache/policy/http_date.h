// HTTP dates (RFC 9110 section 5.6.7). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/clock.h"
#include "proxy/http/headers.h"

namespace verge::policy {

// IMF-fixdate, RFC 850 (two-digit years more than 50 years ahead of `now` are in the past) and asctime forms; GMT only.
// Anything else, however close, is none: an invalid Expires is then stale, as RFC 9111 section 5.3 says.
std::optional<WallTime> parse_http_date(std::string_view text, WallTime now) noexcept;
// The date of a field: none when it is absent, has several lines or is invalid. `name` in lower case.
std::optional<WallTime> date_field(const http::Headers& headers, std::string_view name, WallTime now) noexcept;
std::string format_http_date(WallTime t);

} // namespace verge::policy
