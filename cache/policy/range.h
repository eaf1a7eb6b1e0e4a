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

std::string content_range(const ByteRange& range, uint64_t length); // "bytes 0-9/100"
std::string content_range_unsatisfied(uint64_t length);             // "bytes */100"

// Content-Range of a 206: none unless it is one valid byte range.
struct ContentRange {
  ByteRange range;
  std::optional<uint64_t> complete;
};
std::optional<ContentRange> parse_content_range(std::string_view value) noexcept;

} // namespace verge::policy
