// Cache-Control of requests and responses (RFC 9111 section 5.2, RFC 5861, RFC 8246), and the fields that may stand in
// its place (RFC 9213, Surrogate-Control). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/policy/rules.h"
#include "proxy/base/clock.h"
#include "proxy/http/headers.h"

namespace verge::policy {

// All lines and members combined. delta-seconds: quoted or not; the least of several; not a non-negative integer: 0 for
// max-age and s-maxage (treated as stale), ignored for the stale-* ones; above 2^31 counts as 2^31.
struct ResponseDirectives {
  bool no_store = false, no_cache = false, private_ = false, public_ = false, must_revalidate = false,
       proxy_revalidate = false, must_understand = false, no_transform = false, immutable = false;
  // They come from a field for caches like us: neither Cache-Control nor Expires counts then.
  bool targeted = false;
  std::vector<std::string> no_cache_fields, private_fields; // of no-cache="a, b": then the unqualified flag is false
  std::optional<Seconds> max_age, s_maxage, stale_while_revalidate, stale_if_error;
};
// Those of the first of the rules' targets that is there, parses and says something; else Cache-Control's.
ResponseDirectives response_directives(const http::Headers& headers, const Rules& rules);
// One directive as Cache-Control has it, added to `out`. False: an unknown one.
bool take_directive(ResponseDirectives& out, std::string_view directive);

struct RequestDirectives {
  bool no_cache = false, no_store = false, only_if_cached = false, max_stale_any = false;
  std::optional<Seconds> max_age, min_fresh, max_stale;
};
// Pragma: no-cache counts only where there is no Cache-Control (RFC 9111 section 5.4). Values that are no non-negative
// integers are ignored. Allocates nothing unless a value is written with quoted-pairs.
RequestDirectives request_directives(const http::Headers& headers);
// Those that count.
RequestDirectives honoured(const RequestDirectives& asked, const Honoured& which) noexcept;

} // namespace verge::policy
