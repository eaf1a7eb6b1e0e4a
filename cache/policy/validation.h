// Conditional requests (RFC 9110 section 13) and freshening (RFC 9111 section 4.3). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/clock.h"
#include "proxy/http/message.h"

namespace verge::policy {

// Entity tags compare by their octets: no case, no escapes (RFC 9110 section 8.8.3). A tag that lacks its quotes is
// weak at best.
bool has_validator(const http::Headers& stored) noexcept; // ETag or Last-Modified
bool is_strong_etag(std::string_view etag) noexcept;      // quoted, without W/
bool weak_match(std::string_view a, std::string_view b) noexcept;
bool strong_match(std::string_view a, std::string_view b) noexcept;

enum class Precondition : uint8_t { proceed, not_modified, failed };
// What a stored 200 answers to the client's own conditions, in the order of section 13.2.2. If-None-Match beats
// If-Modified-Since; where there is no Last-Modified, If-Modified-Since is compared with Date. GET and HEAD only.
Precondition evaluate_preconditions(const http::RequestHead& request, const http::Headers& stored, WallTime now);

// Puts our If-None-Match / If-Modified-Since for the stored response in place of the client's conditions and Range: the
// answer is a 304, or a whole new response.
void set_conditions(http::Headers& request, const http::Headers& stored);
// Removes If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since, If-Range (and Range) from a Fetch that is to
// fill the cache with a whole response.
void remove_conditions(http::Headers& request);

// May the 304 update the stored response (section 4.3.4)? False when it names another ETag, or - without ETags -
// another Last-Modified, or only validators that the stored response does not have: ask again without condition.
bool freshens(const http::Headers& stored, const http::Headers& not_modified) noexcept;
// The stored fields updated by the 304's (section 3.2): all but Content-Length, Content-Encoding and Content-Range,
// which tell of the stored octets, and what is for one hop. Age is the 304's, or gone: give the result to freshness()
// first, then to storable_headers() and take_control_fields().
http::Headers freshened(const http::Headers& stored, const http::Headers& not_modified);

// The fields a 304 to the client carries (section 15.4.5): those of the 200 but Content-Type, -Encoding, -Language and
// the like, which describe a body that is not there.
http::Headers not_modified_fields(const http::Headers& stored);
// The same in the place of what `out` held, in its memory.
void make_not_modified(http::Headers& out, const http::Headers& stored);

} // namespace verge::policy
