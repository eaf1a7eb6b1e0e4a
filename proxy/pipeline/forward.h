// forward: which of the client's fields an origin gets. Pure.
#pragma once

#include <string>
#include <vector>

#include "cache/policy/key_rules.h"
#include "cache/policy/rules.h"
#include "config/config.h"
#include "proxy/http/message.h"

namespace verge::pipeline {

// A route's `forward`, compiled.
struct ForwardRules {
  enum class Mode : uint8_t { safe, all, list };
  Mode mode = Mode::safe;
  policy::Names names;             // of list
  std::vector<std::string> always; // what is in the key: forwarded in every mode; sorted

  static ForwardRules compile(const config::Names& given, const policy::KeyRules& key);
};

// Fields by which an origin can be made to answer another question than the one in the cache key: X-Original-URL,
// X-HTTP-Method-Override, Forwarded ... Those of them that `given` hands on, for the key. X-Forwarded-For, -Host and
// -Proto are not among these: the Origin writes them itself.
std::vector<std::string> forwarded_overrides(const config::Names& given);

// The request's fields as the origin gets them. safe: less those that override. list: only those named, what is in the
// key, and what belongs to the request itself: conditions, Range, and what describes its body. `storable`: also without
// the client's conditions and Range, since the cache wants a whole 200 and answers those itself.
http::Headers forwarded_headers(const http::RequestHead& request, const ForwardRules& rules, bool storable);

// Tells the origin by Surrogate-Capability that we obey Surrogate-Control, where the route says so. A client's own is
// replaced: what the origin makes of it would be stored for everybody.
void announce_surrogate(http::Headers& origin_headers, const policy::Rules& rules);

} // namespace verge::pipeline
