// What a route says about caching, as plain values: the config's `cache:` of one route, compiled.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proxy/base/clock.h"

namespace verge::policy {

struct Rules {
  bool enabled = true;                // false: every request passes, nothing is stored
  std::optional<Seconds> ttl_default; // lifetime where the response gives none; none: the RFC's heuristic, if on
  Seconds ttl_min{0};            // explicit lifetimes below are raised to it (never for no-store, private, no-cache)
  Seconds ttl_max{31'536'000};   // lifetimes above are cut
  bool heuristic = true;         // RFC 9111 section 4.2.2: a tenth of the time since Last-Modified
  bool store_set_cookie = false; // responses with Set-Cookie
  Seconds stale_while_revalidate{0}; // used where the response names none
  Seconds stale_if_error{0};
  bool no_vary_search = true;            // No-Vary-Search
  bool honour_request_directives = true; // the client's Cache-Control: no-cache, max-age ...
  std::vector<std::string> tag_headers = {"surrogate-key", "cache-tag", "x-amz-meta-cache-tag"};
  std::vector<std::string> tags;    // added to every response of the route
  uint64_t max_object = 5ull << 30; // octets; larger bodies pass
  uint64_t site = 0;                // site_id() of whose responses these are
  uint64_t slice = 0;               // octets; bodies are fetched and stored in slices of this size; 0: whole
};

} // namespace verge::policy
