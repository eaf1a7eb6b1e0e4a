// What a route says about caching, as plain values: the config's `cache:` of one route, compiled.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/clock.h"

namespace verge::policy {

// Which directives of a client's Cache-Control count; Pragma: no-cache goes with no-cache.
struct Honoured {
  bool no_cache = true, no_store = true, max_age = true, min_fresh = true, max_stale = true, only_if_cached = true;
  bool operator==(const Honoured&) const = default;
};

// A field whose members are tags.
struct TagHeader {
  std::string name; // lower case
  char separator = ',';
  bool operator==(const TagHeader&) const = default;
};

// How long an error is kept that names no lifetime itself.
struct NegativeTtl {
  int status = 0; // 404; 4 or 5 for every one of the class
  Seconds ttl{0};
  bool operator==(const NegativeTtl&) const = default;
};

// How early an entry that is asked for again is refreshed before it expires: a part of its lifetime, or a time.
struct RefreshAhead {
  uint32_t percent = 0;
  Millis time{0};
  bool on() const noexcept { return percent > 0 || time > Millis{0}; }
};

struct Rules {
  bool enabled = true;                // false: every request passes, nothing is stored
  std::optional<Seconds> ttl_default; // lifetime where the response gives none; none: the RFC's heuristic, if on
  Seconds ttl_min{0};            // explicit lifetimes below are raised to it (never for no-store, private, no-cache)
  Seconds ttl_max{31'536'000};   // lifetimes above are cut
  bool heuristic = true;         // RFC 9111 section 4.2.2: a tenth of the time since Last-Modified
  bool store_set_cookie = false; // responses with Set-Cookie
  Seconds stale_while_revalidate{0}; // used where the response names none
  Seconds stale_if_error{0};
  bool no_vary_search = true;        // No-Vary-Search
  std::vector<NegativeTtl> negative; // single statuses go before classes
  Honoured honoured;
  // Whose word counts before Cache-Control's and Expires', the first that speaks: surrogate-control, and targeted
  // fields (RFC 9213). Lower case.
  std::vector<std::string> targets = {"verge-cache-control", "cdn-cache-control", "surrogate-control"};
  std::string surrogate_id = "verge"; // our name in Surrogate-Control
  bool surrogate_capability = false;  // tell origins that we obey it
  std::vector<TagHeader> tag_headers = {{"surrogate-key", ' '}, {"cache-tag", ','}, {"x-amz-meta-cache-tag", ','}};
  // What is meant for us and not handed to clients; lower case.
  std::vector<std::string> strip = {"verge-cache-control", "surrogate-control", "surrogate-key", "cache-tag",
                                    "x-amz-meta-cache-tag"};
  RefreshAhead refresh_ahead;
  std::vector<std::string> tags;    // added to every response of the route
  uint64_t max_object = 5ull << 30; // octets; larger bodies pass
  bool query = false, post = false; // answers to QUERY, to POST are stored under their bodies
  uint64_t key_body = 64 << 10;     // octets; requests with larger ones pass
  // Is the body of such a request part of the key?
  bool answers_by_body(std::string_view method) const noexcept {
    return enabled && ((query && method == "QUERY") || (post && method == "POST"));
  }
  uint64_t site = 0;  // site_id() of whose responses these are
  uint64_t slice = 0; // octets; bodies are fetched and stored in slices of this size; 0: whole
};

} // namespace verge::policy
