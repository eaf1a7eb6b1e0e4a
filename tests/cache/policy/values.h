// Short ways to write the values that policy decides about.
#pragma once

#include <initializer_list>
#include <string_view>
#include <utility>

#include "cache/policy/freshness.h"
#include "cache/policy/http_date.h"
#include "cache/policy/rules.h"
#include "proxy/http/message.h"

namespace verge::policy {

using Lines = std::initializer_list<std::pair<std::string_view, std::string_view>>;

inline http::Headers headers_of(Lines lines) {
  http::Headers out;
  for (const auto& [name, value] : lines) out.add(name, value);
  return out;
}

inline http::RequestHead get_with(Lines lines = {}) {
  http::RequestHead out;
  out.method = "GET";
  out.scheme = "https";
  out.authority = "www.example.com";
  out.path = "/";
  out.headers = headers_of(lines);
  return out;
}

inline http::ResponseHead answer(int status, Lines lines = {}) {
  http::ResponseHead out;
  out.status = status;
  out.headers = headers_of(lines);
  return out;
}

// Sun, 06 Nov 1994 08:49:37 GMT, the RFC's own example: the moment most tests happen at.
inline constexpr WallTime kNow{Seconds{784'111'777}};
inline constexpr std::string_view kNowText = "Sun, 06 Nov 1994 08:49:37 GMT";

// The date `offset` from kNow, as a field value.
inline std::string date_at(Seconds offset) { return format_http_date(kNow + offset); }

// Freshness of an answer that came at once, at kNow.
inline Freshness fresh_at_once(const http::ResponseHead& response, const Rules& rules = {}) {
  return freshness(response, kNow, kNow, rules);
}

} // namespace verge::policy
