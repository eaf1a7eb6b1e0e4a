// Whether a conditional GET or HEAD of a file is answered 304, and dates as HTTP writes them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/http/headers.h"

namespace verge::origin {

// "Sun, 06 Nov 1994 08:49:37 GMT" (IMF-fixdate, RFC 9110 section 5.6.7). Pure.
std::string http_date(std::chrono::sys_seconds t);
// Reads just that form; none for any other (the two obsolete ones too: who holds our Last-Modified sends it as it was).
std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view s);

// RFC 9110 section 13.2.2, steps 3 and 4: If-None-Match by weak comparison; If-Modified-Since only when that is absent,
// and ignored when it can't be read. `etag` with its quotes. Pure.
bool not_modified(const http::Headers& request, std::string_view etag, std::chrono::sys_seconds modified);

} // namespace verge::origin
