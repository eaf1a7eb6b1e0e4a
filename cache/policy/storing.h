// May this response be stored (RFC 9111 section 3), and if not, why. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cache/policy/freshness.h"
#include "cache/policy/rules.h"
#include "proxy/http/message.h"

namespace verge::policy {

enum class StoreVerdict : uint8_t {
  store,
  method,           // only GET is stored
  route_off,        // the route says cache: off
  request_no_store, // the request's Cache-Control
  no_store,
  private_response,
  authorization, // section 3.5: needs public, must-revalidate or s-maxage
  set_cookie,
  vary_star,
  status_not_cacheable, // no explicit freshness and not heuristically cacheable
  no_freshness,         // nothing to go by: no lifetime and no route default
  no_lifetime_left,     // lifetime 0 and no validator: could never be used
  partial_content,
  too_large,
  invalidated, // a purge came while it was on its way
  reflects,    // it repeats a request field that is not in its key (reflection.h)
};
// The word for Cache-Status detail and the log: "set-cookie", "private" ...
std::string_view to_string(StoreVerdict v) noexcept;

// Answers to this one request - its conditions, its range, its speed, its size - and not to what it asks for: never
// stored. RFC 6585 forbids 428, 429, 431 and 511; the others would be wrong for the next client as well.
bool about_the_request(int status) noexcept;

// `d`: response_directives() of the response's fields, where the caller has them already.
StoreVerdict may_store(const http::RequestHead& request, const http::ResponseHead& response, const Freshness& freshness,
                       const Rules& rules);
StoreVerdict may_store(const http::RequestHead& request, const http::ResponseHead& response,
                       const ResponseDirectives& d, const Freshness& freshness, const Rules& rules);

// The same as far as it hangs on no lifetime: `store` means that may_store() is to be asked.
StoreVerdict forbids_storing(const http::RequestHead& request, const http::ResponseHead& response,
                             const ResponseDirectives& d, const Rules& rules);

// The response's tags: route tags and the members of the rules' tag headers, lower-cased, visible ASCII, at most 256
// octets each and 50 together (CloudFront's limits), no doubles.
std::vector<std::string> response_tags(const http::Headers& headers, const Rules& rules);

// What is kept: hop-by-hop fields, fields named by no-cache="..." / private="..." are removed.
http::Headers storable_headers(const http::ResponseHead& response, const Rules& rules);
// The fields that no-cache="..." / private="..." keep from being stored: they are for the one who asked (RFC 9111
// sections 5.2.2.4 and 5.2.2.7), and for him alone.
http::Headers first_answer_fields(const http::ResponseHead& response, const Rules& rules);
// Takes what is meant for us (Rules::strip) out of what will be served, and gives it back: it is stored beside that.
// Also drops Warning.
http::Headers take_control_fields(http::Headers& headers, const Rules& rules);

} // namespace verge::policy
