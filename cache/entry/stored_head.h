// StoredHead: all that is known of a stored response but its body. Immutable once an Entry is open; any thread reads
// it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cache/policy/freshness.h"
#include "proxy/base/clock.h"
#include "proxy/http/headers.h"

namespace verge::cache {

struct StoredHead {
  std::string key;                      // the full key text (policy::key_text, or policy::search_key)
  std::string url;                      // filed by No-Vary-Search: its own URL's key text; else empty
  std::vector<std::string> vary_fields; // names, sorted
  std::string vary_values;              // policy::vary_key of the request that fetched it
  int status = 200;
  http::Headers headers;                  // end-to-end fields to serve; no Age, no Content-Length
  std::string h1_text;                    // the same as HTTP/1.1 lines, made at store or load time
  http::Headers control;                  // what the response said to us alone: not served, but part of what is stored
  std::optional<uint64_t> content_length; // known once complete; else what the origin declared
  WallTime request_time{}, response_time{};
  policy::Freshness freshness;
  uint64_t site = 0; // whose it is: policy::site_id(); 0: nobody's
  uint64_t seq = 0;  // invalidation seq current when the Fetch was sent
  std::vector<std::string> tags;
  bool request_had_authorization = false;
  bool no_body = false; // the answer to a HEAD: content_length tells of a body that does not follow
};
using HeadRef = std::shared_ptr<const StoredHead>;

// The stored response as the origin meant it: what is served, and what spoke to us. A 304 updates these.
inline http::Headers all_fields(const StoredHead& head) {
  http::Headers out = head.headers;
  for (const http::Field field : head.control) out.add(field.name, field.value);
  return out;
}

} // namespace verge::cache
