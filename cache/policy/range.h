// Range requests against a complete stored body (RFC 9110 section 14). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/http/headers.h"

namespace verge::policy {

struct ByteRange {
  uint64_t first = 0, last = 0; // inclusive
  uint64_t size() const noexcept { return last - first + 1; }
};
enum class RangeVerdict : uint8_t {
  whole,   // no Range, another unit, malformed, If-Range failed, too many, or more octets than the body: send the 200
  partial, // `ranges` are satisfiable, cut to the length, at most kMaxRanges, ascending, merged where they touch
  unsatisfiable, // 416 with content_range_unsatisfied()
};
inline constexpr size_t kMaxRanges = 16;
struct RangeDecision {
  RangeVerdict verdict = RangeVerdict::whole;
  std::vector<ByteRange> ranges;
};
// `stored`: the stored response's fields, for If-Range (strong ETag, or an exact Last-Modified that is strong by
// section 8.8.2.2).
RangeDecision decide_range(const http::Headers& request, const http::Headers& stored, uint64_t length, WallTime now);

// The one range that a request names, before a length is known: without `first`, the last `last` octets.
struct AskedRange {
  std::optional<uint64_t> first, last;
  bool operator==(const AskedRange&) const = default;
};
// None unless Range is one line with one valid byte range.
std::optional<AskedRange> single_range(const http::Headers& request) noexcept;
// Where it lies in a body of `length` octets (more than none), cut to it; none behind its end.
std::optional<ByteRange> resolve(const AskedRange& asked, uint64_t length) noexcept;
std::string range_value(const AskedRange& asked); // "bytes=0-9", "bytes=10-", "bytes=-5"

// What If-Range may name (RFC 9110 section 13.1.5): a strong ETag, else, where there is no ETag at all, a Last-Modified
// that is strong by section 8.8.2.2. Empty: no strong validator. A view into `response`.
std::string_view strong_validator(const http::Headers& response, WallTime now) noexcept;

std::string content_range(const ByteRange& range, uint64_t length); // "bytes 0-9/100"
std::string content_range_unsatisfied(uint64_t length);             // "bytes */100"

// Content-Range of a 206: none unless it is one valid byte range.
struct ContentRange {
  ByteRange range;
  std::optional<uint64_t> complete;
};
std::optional<ContentRange> parse_content_range(std::string_view value) noexcept;

} // namespace verge::policy
