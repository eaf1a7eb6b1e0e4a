// The Cache-Status field (RFC 9211), made anew for every response. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/clock.h"

namespace verge::policy {

enum class Forward : uint8_t { none, bypass, method, uri_miss, vary_miss, miss, request, stale, partial };
std::string_view to_string(Forward f) noexcept; // "uri-miss"

struct CacheStatus {
  bool hit = false;
  Forward forward = Forward::none;
  std::optional<int> forward_status; // the origin's status
  std::optional<Seconds> ttl;        // what is left; negative when stale
  bool stored = false;
  bool collapsed = false;
  std::string_view key = {};    // the cache key; empty: not told
  std::string_view detail = {}; // a word of ours: "set-cookie", "lmdb", "purged"
  bool operator==(const CacheStatus&) const = default;
};
// `name; hit; ttl=42` and so on: a valid structured field (RFC 8941); detail as a token or a string.
std::string format(const CacheStatus& s, std::string_view name);
// The same at the end of `out`. `name` is a token.
void append(std::string& out, const CacheStatus& s, std::string_view name);

} // namespace verge::policy
