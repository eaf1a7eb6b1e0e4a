#include "cache/policy/range.h"

#include <algorithm>
#include <limits>

#include <fmt/core.h>

#include "cache/policy/fields.h"
#include "cache/policy/http_date.h"
#include "cache/policy/validation.h"

namespace verge::policy {
namespace {

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();

// 1*DIGIT; what is larger than 64 bits is cut to their end, and so lies behind any body.
std::optional<uint64_t> parse_position(std::string_view s) noexcept {
  if (s.empty()) return std::nullopt;
  uint64_t n = 0;
  for (const char c : s) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<uint64_t>(c - '0');
    n = n > (kMax - digit) / 10 ? kMax : n * 10 + digit;
  }
  return n;
}

// "bytes" and the separator behind it, taken off.
std::optional<std::string_view> after_unit(std::string_view value, char separator) noexcept {
  constexpr std::string_view kUnit = "bytes";
  if (value.size() <= kUnit.size() || !http::iequals(value.substr(0, kUnit.size()), kUnit)) return std::nullopt;
  if (value[kUnit.size()] != separator) return std::nullopt;
  return value.substr(kUnit.size() + 1);
}

std::optional<AskedRange> parse_spec(std::string_view s) noexcept {
  const size_t dash = s.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::string_view before = s.substr(0, dash);
  const std::string_view after = s.substr(dash + 1);
  AskedRange spec{parse_position(before), parse_position(after)};
  if (!spec.first && !before.empty()) return std::nullopt;
  if (!spec.last && (!after.empty() || !spec.first)) return std::nullopt;
  if (spec.first && spec.last && *spec.last < *spec.first) return std::nullopt;
  return spec;
}

// A Last-Modified that is a strong validator by section 8.8.2.2: made at least a second before the response, so that no
// second change within that second can hide.
std::optional<WallTime> strong_modified(const http::Headers& stored, WallTime now) noexcept {
  const auto modified = date_field(stored, "last-modified", now);
  const auto date = date_field(stored, "date", now);
  return modified && date && *modified + Seconds{1} <= *date ? modified : std::nullopt;
}

// RFC 9110 section 13.1.5. A date must be the stored Last-Modified itself.
bool if_range_holds(const http::Headers& request, const http::Headers& stored, WallTime now) {
  const auto condition = request.get("if-range");
  if (!condition) return true;
  if (request.count("if-range") != 1) return false;
  if (const auto etag = stored.get("etag"); etag && strong_match(*condition, *etag)) return true;
  const auto wanted = parse_http_date(*condition, now);
  return wanted && wanted == strong_modified(stored, now);
}

void sort_and_merge(std::vector<ByteRange>& ranges) {
  std::ranges::sort(ranges, {}, &ByteRange::first);
  size_t kept = 0;
  for (size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].first <= ranges[kept].last + 1) {
      ranges[kept].last = std::max(ranges[kept].last, ranges[i].last);
    } else {
      ranges[++kept] = ranges[i];
    }
  }
  ranges.resize(kept + 1);
}

} // namespace

std::optional<AskedRange> single_range(const http::Headers& request) noexcept {
  const auto value = request.get("range");
  if (!value || request.count("range") != 1) return std::nullopt;
  const auto set = after_unit(http::trim(*value), '=');
  return set ? parse_spec(http::trim(*set)) : std::nullopt;
}

std::optional<ByteRange> resolve(const AskedRange& spec, uint64_t length) noexcept {
  if (!spec.first) {
    if (*spec.last == 0) return std::nullopt;
    return ByteRange{length - std::min(length, *spec.last), length - 1};
  }
  if (*spec.first >= length) return std::nullopt;
  return ByteRange{*spec.first, std::min(spec.last.value_or(kMax), length - 1)};
}

std::string range_value(const AskedRange& asked) {
  std::string out = "bytes=";
  if (asked.first) out += std::to_string(*asked.first);
  out += '-';
  if (asked.last) out += std::to_string(*asked.last);
  return out;
}

std::string_view strong_validator(const http::Headers& response, WallTime now) noexcept {
  if (const auto etag = response.get("etag")) {
    return response.count("etag") == 1 && is_strong_etag(*etag) ? *etag : std::string_view{};
  }
  if (!strong_modified(response, now)) return {};
  return *response.get("last-modified");
}

RangeDecision decide_range(const http::Headers& request, const http::Headers& stored, uint64_t length, WallTime now) {
  RangeDecision out;
  const auto value = request.get("range");
  if (!value || request.count("range") != 1) return out;
  const auto set = after_unit(*value, '=');
  if (!set || !if_range_holds(request, stored, now)) return out;

  size_t specs = 0;
  bool good = true;
  bool suffix_of_nothing = false;
  bool amplifies = false;
  uint64_t octets = 0;
  each_member(*set, [&](std::string_view member) {
    if (!good || ++specs > kMaxRanges) return;
    const auto spec = parse_spec(member);
    if (!spec) {
      good = false;
      return;
    }
    if (length == 0) {
      // A suffix of an empty body is satisfiable, but no Content-Range can say so: the whole is the answer.
      suffix_of_nothing = suffix_of_nothing || (!spec->first && *spec->last > 0);
    } else if (const auto range = resolve(*spec, length)) {
      amplifies = amplifies || range->size() > length - octets;
      if (amplifies) return;
      out.ranges.push_back(*range);
      octets += range->size();
    }
  });
  // More octets than the body has can only come of overlaps: an attack by amplification (section 17.15).
  if (!good || specs == 0 || specs > kMaxRanges || suffix_of_nothing || amplifies) {
    out.ranges.clear();
    return out;
  }
  if (out.ranges.empty()) {
    out.verdict = RangeVerdict::unsatisfiable;
    return out;
  }
  out.verdict = RangeVerdict::partial;
  sort_and_merge(out.ranges);
  return out;
}

std::string content_range(const ByteRange& range, uint64_t length) {
  return fmt::format("bytes {}-{}/{}", range.first, range.last, length);
}

std::string content_range_unsatisfied(uint64_t length) { return fmt::format("bytes */{}", length); }

std::optional<ContentRange> parse_content_range(std::string_view value) noexcept {
  const auto rest = after_unit(http::trim(value), ' ');
  if (!rest) return std::nullopt;
  const size_t slash = rest->find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto spec = parse_spec(rest->substr(0, slash));
  if (!spec || !spec->first || !spec->last || *spec->last == kMax) return std::nullopt;
  ContentRange out{{*spec->first, *spec->last}, std::nullopt};
  const std::string_view complete = rest->substr(slash + 1);
  if (complete != "*") {
    out.complete = parse_position(complete);
    if (!out.complete || *out.complete == kMax || out.range.last >= *out.complete) return std::nullopt;
  }
  return out;
}

} // namespace verge::policy
