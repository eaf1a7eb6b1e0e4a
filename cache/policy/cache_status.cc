#include "cache/policy/cache_status.h"

#include <algorithm>
#include <charconv>

#include "proxy/http/grammar.h"

namespace verge::policy {
namespace {

// The largest an sf-integer can be (RFC 8941 section 3.3.1).
constexpr int64_t kMaxInteger = 999'999'999'999'999;

// sf-token: a letter or "*", then tchar, ":" and "/".
bool is_sf_token(std::string_view s) noexcept {
  if (s.empty()) return false;
  const char first = http::lower(s.front());
  if (first != '*' && (first < 'a' || first > 'z')) return false;
  return http::is_token(s) ||
         std::ranges::all_of(s, [](const char& c) { return c == ':' || c == '/' || http::is_token({&c, 1}); });
}

// What a string can't hold becomes "?".
void append_string(std::string& out, std::string_view s) {
  out += '"';
  for (const char c : s) {
    if (c == '"' || c == '\\') out += '\\';
    out += c < 0x20 || c > 0x7e ? '?' : c;
  }
  out += '"';
}

// As a token where it is one, else as a string.
void append_text(std::string& out, std::string_view s) {
  if (is_sf_token(s)) {
    out += s;
  } else {
    append_string(out, s);
  }
}

void append_integer(std::string& out, std::string_view name, int64_t value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, std::clamp(value, -kMaxInteger, kMaxInteger)).ptr;
  out += name;
  out.append(digits, end);
}

} // namespace

std::string_view to_string(Forward f) noexcept {
  switch (f) {
    case Forward::none: return "";
    case Forward::bypass: return "bypass";
    case Forward::method: return "method";
    case Forward::uri_miss: return "uri-miss";
    case Forward::vary_miss: return "vary-miss";
    case Forward::miss: return "miss";
    case Forward::request: return "request";
    case Forward::stale: return "stale";
    case Forward::partial: return "partial";
  }
  return "";
}

std::string format(const CacheStatus& s, std::string_view name) {
  std::string out;
  append_text(out, name);
  append(out, s, {});
  return out;
}

void append(std::string& out, const CacheStatus& s, std::string_view name) {
  out += name;
  // hit and fwd exclude each other (RFC 9211 section 2.2); what follows fwd only speaks of a forwarded request.
  if (s.hit) {
    out += "; hit";
  } else if (s.forward != Forward::none) {
    out += "; fwd=";
    out += to_string(s.forward);
    if (s.forward_status) append_integer(out, "; fwd-status=", *s.forward_status);
  }
  if (s.ttl) append_integer(out, "; ttl=", s.ttl->count());
  if (!s.hit && s.stored) out += "; stored";
  if (!s.hit && s.collapsed) out += "; collapsed";
  if (!s.key.empty()) { // always a string (RFC 9211 section 2.7)
    out += "; key=";
    append_string(out, s.key);
  }
  if (!s.detail.empty()) {
    out += "; detail=";
    append_text(out, s.detail);
  }
}

} // namespace verge::policy
