#include "cache/policy/freshness.h"

#include <algorithm>

#include "cache/policy/fields.h"
#include "cache/policy/http_date.h"

namespace verge::policy {
namespace {

// Of a list, or of several lines, the first member counts; what is no number is ignored (RFC 9111 section 5.1). A
// structured-field parameter behind the number (RFC 9651) does not take from it: "7200;x=1" is old, not new.
Seconds age_value(const http::Headers& headers) noexcept {
  const auto line = headers.get("age");
  if (!line) return Seconds{0};
  const std::string_view first = http::trim(line->substr(0, line->find_first_of(",;")));
  return parse_delta_seconds(first).value_or(Seconds{0});
}

struct Lifetime {
  Seconds length{0};
  LifetimeSource source = LifetimeSource::none;
};

// RFC 9111 section 4.2.1, the first that applies; then the route's default; then section 4.2.2.
Lifetime base_lifetime(const http::ResponseHead& response, const ResponseDirectives& d, std::optional<WallTime> date,
                       WallTime response_time, const Rules& rules) noexcept {
  if (d.s_maxage) return {*d.s_maxage, LifetimeSource::s_maxage};
  if (d.max_age) return {*d.max_age, LifetimeSource::max_age};
  // Whole seconds, as Date has them.
  const WallTime made = date.value_or(std::chrono::floor<Seconds>(response_time));
  if (!d.targeted && response.headers.has("expires")) {
    const auto expires = date_field(response.headers, "expires", response_time);
    // Invalid, or several: expired already.
    const Seconds left = expires ? std::chrono::floor<Seconds>(*expires - made) : Seconds{0};
    return {std::clamp(left, Seconds{0}, kMaxDelta), LifetimeSource::expires};
  }
  if (const auto ttl = negative_ttl(response.status, rules)) return {*ttl, LifetimeSource::negative};
  const bool may_guess = heuristically_cacheable(response.status);
  if (rules.ttl_default && may_guess) return {*rules.ttl_default, LifetimeSource::route};
  if (rules.heuristic && (may_guess || d.public_)) {
    const auto modified = date_field(response.headers, "last-modified", response_time);
    if (modified && *modified < made) {
      const Seconds tenth = std::chrono::floor<Seconds>((made - *modified) / 10);
      if (tenth > Seconds{0}) return {std::min(tenth, kMaxHeuristicLifetime), LifetimeSource::heuristic};
    }
  }
  return {};
}

} // namespace

bool heuristically_cacheable(int status) noexcept {
  switch (status) {
    case 200:
    case 203:
    case 204:
    case 300:
    case 301:
    case 308:
    case 404:
    case 405:
    case 410:
    case 414: return true;
    default: return false;
  }
}

std::optional<Seconds> negative_ttl(int status, const Rules& rules) noexcept {
  if (status < 400) return std::nullopt;
  std::optional<Seconds> of_class;
  for (const NegativeTtl& n : rules.negative) {
    if (n.status == status) return n.ttl;
    if (n.status == status / 100) of_class = n.ttl;
  }
  return of_class;
}

Freshness freshness(const http::ResponseHead& response, WallTime request_time, WallTime response_time,
                    const Rules& rules) {
  return freshness(response, response_directives(response.headers, rules), request_time, response_time, rules);
}

Freshness freshness(const http::ResponseHead& response, const ResponseDirectives& d, WallTime request_time,
                    WallTime response_time, const Rules& rules) {
  const auto date = date_field(response.headers, "date", response_time);
  Freshness out;

  // RFC 9111 section 4.2.3. Date knows whole seconds only, so our side is cut to them as well: else every answer would
  // seem up to a second older than it is.
  const Millis apparent_age =
      date ? std::max(Millis{0}, std::chrono::floor<Seconds>(response_time) - *date) : Millis{0};
  const Millis delay = std::max(Millis{0}, response_time - request_time);
  out.initial_age = std::max(apparent_age, age_value(response.headers) + delay);

  Lifetime lifetime = base_lifetime(response, d, date, response_time, rules);
  const bool negative = lifetime.source == LifetimeSource::negative;
  if (lifetime.source != LifetimeSource::none && !negative && !d.no_store && !d.private_ && !d.no_cache) {
    lifetime.length = std::max(lifetime.length, rules.ttl_min);
  }
  out.lifetime = std::min(lifetime.length, rules.ttl_max);
  out.source = lifetime.source;
  out.always_validate = d.no_cache;
  out.immutable = d.immutable;

  const bool forbidden = d.no_cache || d.must_revalidate || d.proxy_revalidate;
  // An error of the origin's that we keep for a moment is not shown longer than that.
  out.never_stale = forbidden || d.s_maxage.has_value() || (negative && response.status >= 500);
  if (!forbidden) {
    // s-maxage alone forbids stale answers (section 5.2.2.10); an origin that writes a window beside it wants it.
    const auto window = [&](const std::optional<Seconds>& named, Seconds of_route) {
      return named.value_or(d.s_maxage || negative ? Seconds{0} : of_route);
    };
    out.stale_while_revalidate = window(d.stale_while_revalidate, rules.stale_while_revalidate);
    out.stale_if_error = window(d.stale_if_error, rules.stale_if_error);
  }
  return out;
}

Millis current_age(const Freshness& f, WallTime response_time, WallTime now) noexcept {
  return f.initial_age + std::max(Millis{0}, now - response_time);
}

Use decide_use(const Freshness& f, Millis age, const RequestDirectives& asked, const Rules& rules) noexcept {
  if (f.always_validate) return Use::must_validate;
  const RequestDirectives request = honoured(asked, rules.honoured);
  const Millis staleness = age - f.lifetime; // fresh while below 0
  const bool within_window = staleness < f.stale_while_revalidate;
  if (request.no_cache) return Use::must_validate;
  // max-age=0 is how a browser's reload asks for validation, even of what has just come. Of a response that the origin
  // calls immutable there is nothing to ask while it is fresh: only no-cache is signal enough (RFC 8246 section 2).
  const bool settled = f.immutable && staleness < Millis{0};
  if (request.max_age && !settled && (age > *request.max_age || *request.max_age == Seconds{0}))
    return Use::must_validate;
  if (request.min_fresh && -staleness < *request.min_fresh) return Use::must_validate;
  if (staleness < Millis{0}) return Use::fresh;
  if (!f.never_stale && (request.max_stale ? staleness <= *request.max_stale : request.max_stale_any)) {
    return Use::stale_revalidate;
  }
  // RFC 9111 section 5.2.1.1: who says max-age and no max-stale is not willing to get a stale answer.
  return within_window && !request.max_age ? Use::stale_revalidate : Use::must_validate;
}

bool refresh_due(const Freshness& f, Millis age, const Rules& rules) noexcept {
  if (!rules.refresh_ahead.on()) return false;
  const Millis here = f.lifetime - f.initial_age;
  const Millis asked =
      rules.refresh_ahead.percent > 0 ? here * rules.refresh_ahead.percent / 100 : rules.refresh_ahead.time;
  const Millis left = f.lifetime - age;
  return left > Millis{0} && left <= std::min(asked, here / 2);
}

bool may_share(const Freshness& f, Millis age, bool came_first, const RequestDirectives& request,
               const Rules& rules) noexcept {
  if (f.always_validate || age >= f.lifetime) return false;
  return !came_first || decide_use(f, age, request, rules) == Use::fresh;
}

bool may_serve_stale_on_error(const Freshness& f, Millis age, bool origin_answered) noexcept {
  if (f.always_validate) return false;
  const Millis staleness = age - f.lifetime;
  if (f.stale_if_error > Seconds{0} && staleness < f.stale_if_error) return true;
  return !origin_answered && (staleness < Millis{0} || !f.never_stale);
}

} // namespace verge::policy
