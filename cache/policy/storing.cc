#include "cache/policy/storing.h"

#include <algorithm>

#include "cache/policy/fields.h"
#include "cache/policy/validation.h"

namespace verge::policy {
namespace {

// The final statuses whose caching we know, so that must-understand lets us set no-store aside (RFC 9111 section
// 5.2.2.3). 206 and 304 are kept by other means.
bool understood(int status) noexcept {
  switch (status) {
    case 200:
    case 201:
    case 202:
    case 203:
    case 204:
    case 205:
    case 300:
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
    case 400:
    case 401:
    case 402:
    case 403:
    case 404:
    case 405:
    case 406:
    case 409:
    case 410:
    case 411:
    case 413:
    case 414:
    case 415:
    case 422:
    case 424:
    case 426:
    case 451:
    case 500:
    case 501:
    case 502:
    case 503:
    case 504:
    case 505: return true;
    default: return false;
  }
}

bool names(const std::vector<std::string>& fields, std::string_view name) noexcept {
  return std::ranges::find(fields, name) != fields.end();
}

bool vary_star(const http::Headers& headers) {
  bool star = false;
  each_member(headers, "vary", [&](std::string_view member) { star = star || member == "*"; });
  return star;
}

constexpr size_t kMaxTags = 50;
constexpr size_t kMaxTagBytes = 256;

void add_tag(std::vector<std::string>& tags, std::string_view tag) {
  if (tag.empty() || tag.size() > kMaxTagBytes || tags.size() >= kMaxTags) return;
  if (!std::ranges::all_of(tag, [](char c) { return c > 0x20 && c < 0x7f; })) return;
  std::string lower{tag};
  std::ranges::transform(lower, lower.begin(), http::lower);
  if (!names(tags, lower)) tags.push_back(std::move(lower));
}

} // namespace

bool about_the_request(int status) noexcept {
  switch (status) {
    case 304:
    case 407:
    case 408:
    case 412:
    case 416:
    case 417:
    case 421:
    case 425:
    case 428:
    case 429:
    case 431:
    case 511: return true;
    default: return false;
  }
}

std::string_view to_string(StoreVerdict v) noexcept {
  switch (v) {
    case StoreVerdict::store: return "store";
    case StoreVerdict::method: return "method";
    case StoreVerdict::route_off: return "route-off";
    case StoreVerdict::request_no_store: return "request-no-store";
    case StoreVerdict::no_store: return "no-store";
    case StoreVerdict::private_response: return "private";
    case StoreVerdict::authorization: return "authorization";
    case StoreVerdict::set_cookie: return "set-cookie";
    case StoreVerdict::vary_star: return "vary-star";
    case StoreVerdict::status_not_cacheable: return "status";
    case StoreVerdict::no_freshness: return "no-freshness";
    case StoreVerdict::no_lifetime_left: return "no-lifetime-left";
    case StoreVerdict::partial_content: return "partial-content";
    case StoreVerdict::too_large: return "too-large";
    case StoreVerdict::invalidated: return "invalidated";
    case StoreVerdict::reflects: return "reflects";
  }
  return "unknown";
}

StoreVerdict may_store(const http::RequestHead& request, const http::ResponseHead& response, const Freshness& freshness,
                       const Rules& rules) {
  return may_store(request, response, response_directives(response.headers, rules), freshness, rules);
}

StoreVerdict forbids_storing(const http::RequestHead& request, const http::ResponseHead& response,
                             const ResponseDirectives& d, const Rules& rules) {
  if (!request.is("GET") && !rules.answers_by_body(request.method)) return StoreVerdict::method;
  if (!rules.enabled) return StoreVerdict::route_off;
  if (rules.honoured.no_store && request_directives(request.headers).no_store) {
    return StoreVerdict::request_no_store;
  }
  if (response.status == 206) return StoreVerdict::partial_content;
  if (response.status < 200 || response.status > 599 || about_the_request(response.status)) {
    return StoreVerdict::status_not_cacheable;
  }
  if (d.must_understand && !understood(response.status)) return StoreVerdict::status_not_cacheable;
  if (d.no_store && !d.must_understand) return StoreVerdict::no_store;
  if (d.private_) return StoreVerdict::private_response;
  return StoreVerdict::store;
}

StoreVerdict may_store(const http::RequestHead& request, const http::ResponseHead& response,
                       const ResponseDirectives& d, const Freshness& freshness, const Rules& rules) {
  if (const auto verdict = forbids_storing(request, response, d, rules); verdict != StoreVerdict::store) return verdict;
  // RFC 9110 section 9.3.3: an answer to POST needs explicit freshness.
  if (request.is("POST") && freshness.source == LifetimeSource::heuristic) return StoreVerdict::no_freshness;
  if (request.headers.has("authorization") && !d.public_ && !d.must_revalidate && !d.s_maxage) {
    return StoreVerdict::authorization;
  }
  // A Set-Cookie that is not kept (storable_headers) can leak nothing. One that is needs more than a guess.
  if (response.headers.has("set-cookie") && !names(d.no_cache_fields, "set-cookie") &&
      !names(d.private_fields, "set-cookie") &&
      (!rules.store_set_cookie || freshness.source == LifetimeSource::heuristic)) {
    return StoreVerdict::set_cookie;
  }
  if (vary_star(response.headers)) return StoreVerdict::vary_star;

  const bool validator = has_validator(response.headers);
  if (freshness.source == LifetimeSource::none) {
    if (!heuristically_cacheable(response.status)) return StoreVerdict::status_not_cacheable;
    // no-cache says itself that it is to be kept and asked about each time; a validator alone says nothing.
    if (!freshness.always_validate) return StoreVerdict::no_freshness;
  }
  const bool usable_unasked = !freshness.always_validate &&
                              (freshness.initial_age < freshness.lifetime ||
                               freshness.stale_while_revalidate > Seconds{0} || freshness.stale_if_error > Seconds{0});
  if (!usable_unasked && !validator) return StoreVerdict::no_lifetime_left;
  if (response.content_length && *response.content_length > rules.max_object) return StoreVerdict::too_large;
  return StoreVerdict::store;
}

std::vector<std::string> response_tags(const http::Headers& headers, const Rules& rules) {
  std::vector<std::string> tags;
  for (const std::string& tag : rules.tags) add_tag(tags, tag);
  for (const TagHeader& wanted : rules.tag_headers) {
    for (const http::Field field : headers) {
      if (field.name != wanted.name) continue;
      std::string_view rest = field.value;
      while (!rest.empty()) {
        const size_t end = std::min(rest.find(wanted.separator), rest.size());
        add_tag(tags, http::trim(rest.substr(0, end)));
        rest.remove_prefix(std::min(end + 1, rest.size()));
      }
    }
  }
  return tags;
}

http::Headers storable_headers(const http::ResponseHead& response, const Rules& rules) {
  http::Headers out = response.headers;
  http::remove_hop_by_hop(out);
  // Age is made anew for each answer; the proxy fields are for one hop's proxy only (RFC 9111 section 3.1).
  for (const std::string_view name :
       {"age", "content-length", "proxy-authenticate", "proxy-authentication-info", "proxy-authorization"}) {
    out.remove(name);
  }
  const ResponseDirectives d = response_directives(response.headers, rules);
  for (const std::string& name : d.no_cache_fields) out.remove(name);
  for (const std::string& name : d.private_fields) out.remove(name);
  return out;
}

http::Headers first_answer_fields(const http::ResponseHead& response, const Rules& rules) {
  http::Headers out;
  const ResponseDirectives d = response_directives(response.headers, rules);
  if (d.no_cache_fields.empty() && d.private_fields.empty()) return out;
  http::Headers all = response.headers;
  http::remove_hop_by_hop(all);
  for (const http::Field field : all) {
    if (field.name == "age" || field.name == "content-length" || names(rules.strip, field.name)) continue;
    if (names(d.no_cache_fields, field.name) || names(d.private_fields, field.name)) out.add(field.name, field.value);
  }
  return out;
}

http::Headers take_control_fields(http::Headers& headers, const Rules& rules) {
  http::Headers control;
  headers.remove("warning"); // obsolete, and wrong in most stored responses (RFC 9111 section 5.5)
  if (std::ranges::none_of(rules.strip, [&](const std::string& name) { return headers.has(name); })) return control;
  headers.remove_if([&](const http::Field& field) {
    const bool ours = names(rules.strip, field.name);
    if (ours) control.add(field.name, field.value);
    return ours;
  });
  return control;
}

} // namespace verge::policy
