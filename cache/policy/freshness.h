// How long a response is fresh and how old it is (RFC 9111 section 4.2). Worked out once at store time; a hit adds.
#pragma once

#include "cache/policy/cache_control.h"
#include "cache/policy/rules.h"
#include "proxy/base/clock.h"
#include "proxy/http/message.h"

namespace verge::policy {

enum class LifetimeSource : uint8_t { none, s_maxage, max_age, expires, heuristic, route, negative };

struct Freshness {
  Millis initial_age{0}; // corrected_initial_age of section 4.2.3, at response_time
  Millis lifetime{0};    // from then on
  LifetimeSource source = LifetimeSource::none;
  bool always_validate = false; // no-cache: never used without asking
  // must-revalidate, proxy-revalidate, no-cache or s-maxage: stale is not served (RFC 9111 section 4.2.4), but within
  // windows that the origin itself names beside s-maxage; those are below, and 0 where they are forbidden.
  bool never_stale = false;
  Seconds stale_while_revalidate{0};
  Seconds stale_if_error{0};
  bool immutable = false; // RFC 8246: while fresh, a client's max-age is no reason to ask
};

// A heuristic lifetime is never longer than this.
inline constexpr Seconds kMaxHeuristicLifetime{24 * 3600};
// What the rules keep an error for that names no lifetime. None: nothing is said about this status.
std::optional<Seconds> negative_ttl(int status, const Rules& rules) noexcept;
// Statuses that may be kept without an explicit lifetime (RFC 9110 section 15.1), less 206 and the 5xx ones: an error
// of the moment is not kept because some file is old, nor by a route's default.
bool heuristically_cacheable(int status) noexcept;

// `request_time`: when the Fetch was sent; `response_time`: when its head came. `d`: response_directives() of its
// fields, where the caller has them already.
Freshness freshness(const http::ResponseHead& response, WallTime request_time, WallTime response_time,
                    const Rules& rules);
Freshness freshness(const http::ResponseHead& response, const ResponseDirectives& d, WallTime request_time,
                    WallTime response_time, const Rules& rules);

// Never negative, even when our clock was set back. Pure.
Millis current_age(const Freshness& f, WallTime response_time, WallTime now) noexcept;

enum class Use : uint8_t {
  fresh,            // serve
  stale_revalidate, // serve now, refresh behind (stale-while-revalidate, or the client's max-stale: no refresh needed)
  must_validate,    // ask the origin first; may be served if that fails within stale-if-error
};
// May the stored response answer this request as it is? Request directives count when the rules honour them.
Use decide_use(const Freshness& f, Millis age, const RequestDirectives& request, const Rules& rules) noexcept;
// Is it time to ask the origin for a response that is still fresh (Rules::refresh_ahead)? In the last part of the time
// that it is fresh here, at most the last half: one that came old is not asked for over and over.
bool refresh_due(const Freshness& f, Millis age, const Rules& rules) noexcept;
// May a request that waited for another's Fetch be answered with what that brought, its variant being right?
// `came_first`: its head was here before the request was; then it answers only what the store may answer. One that came
// after counts as validated for this request too (RFC 9111 section 4: collapsed requests), but not if each use asks for
// a validation of its own, or nothing is left of its lifetime.
bool may_share(const Freshness& f, Millis age, bool came_first, const RequestDirectives& request,
               const Rules& rules) noexcept;
// May it be served though the origin failed? `origin_answered`: it sent a 5xx (only stale-if-error allows), or nothing
// usable at all (then RFC 9111 section 4.2.4 allows it too). For a response that a soft invalidation made stale, give
// an age of at least its lifetime.
bool may_serve_stale_on_error(const Freshness& f, Millis age, bool origin_answered) noexcept;

} // namespace verge::policy
