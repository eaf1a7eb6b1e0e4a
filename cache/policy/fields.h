// Small readers of field values that several decisions share. They allocate nothing: they run for every request. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "proxy/base/clock.h"
#include "proxy/http/grammar.h"
#include "proxy/http/headers.h"

namespace verge::policy {

// The octet after the quoted string that begins at `from`, or npos when it never ends.
inline size_t end_of_quoted(std::string_view value, size_t from) noexcept {
  for (size_t i = from + 1; i < value.size(); ++i) {
    if (value[i] == '\\') {
      ++i;
    } else if (value[i] == '"') {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

// Calls `f(member)` for each non-empty member of a comma-separated list (RFC 9110 section 5.6.1), trimmed. Commas in
// quoted strings do not separate. A quote that is never closed is an octet like others: it can't hide what follows it,
// such as a no-store.
template <class F>
void each_member(std::string_view value, F&& f) {
  size_t begin = 0;
  bool quotes = true;
  for (size_t i = 0; i <= value.size();) {
    if (i < value.size() && value[i] == '"' && quotes) {
      const size_t end = end_of_quoted(value, i);
      quotes = end != std::string_view::npos;
      i = quotes ? end : i + 1;
      continue;
    }
    if (i == value.size() || value[i] == ',') {
      const std::string_view member = http::trim(value.substr(begin, i - begin));
      if (!member.empty()) f(member);
      begin = i + 1;
    }
    ++i;
  }
}

// The same over all lines of the field `name` (lower case).
template <class F>
void each_member(const http::Headers& headers, std::string_view name, F&& f) {
  if (!headers.has(name)) return; // told at once
  for (const http::Field field : headers) {
    if (field.name == name) each_member(field.value, f);
  }
}

// RFC 9111 section 1.2.2: what is too large to count is 2^31 seconds.
inline constexpr Seconds kMaxDelta{int64_t{1} << 31};

// 1*DIGIT and nothing else; any length, cut at kMaxDelta.
inline std::optional<Seconds> parse_delta_seconds(std::string_view s) noexcept {
  if (s.empty()) return std::nullopt;
  int64_t n = 0;
  for (const char c : s) {
    if (c < '0' || c > '9') return std::nullopt;
    n = std::min(n * 10 + (c - '0'), kMaxDelta.count());
  }
  return Seconds{n};
}

} // namespace verge::policy
