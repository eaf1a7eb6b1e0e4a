#include "cache/policy/partial.h"

#include <algorithm>
#include <limits>

#include <fmt/core.h>

#include "cache/policy/validation.h"
#include "proxy/http/grammar.h"

namespace verge::policy {
namespace {

bool is_multipart(const http::Headers& headers) noexcept {
  constexpr std::string_view kType = "multipart/byteranges";
  const auto type = http::trim(headers.get("content-type").value_or(""));
  return type.size() >= kType.size() && http::iequals(type.substr(0, kType.size()), kType);
}

bool answers(const ContentRange& content, const AskedRange& asked) noexcept {
  if (asked.first) {
    return content.range.first == *asked.first && (!asked.last || content.range.last <= *asked.last);
  }
  // The last octets of a body: it must be known where it ends.
  if (!content.complete || content.range.last + 1 != *content.complete) return false;
  return content.range.size() == std::min(*asked.last, *content.complete);
}

} // namespace

std::string_view to_string(PartVerdict v) noexcept {
  switch (v) {
    case PartVerdict::fits: return "fits";
    case PartVerdict::not_one_range: return "not-one-range";
    case PartVerdict::length_disagrees: return "length-disagrees";
    case PartVerdict::not_asked: return "not-asked";
  }
  return "unknown";
}

PartJudgement judge_part(const http::ResponseHead& response, const AskedRange& asked) {
  PartJudgement out;
  if (response.headers.count("content-range") != 1 || is_multipart(response.headers)) return out;
  const auto content = parse_content_range(*response.headers.get("content-range"));
  if (!content) return out;
  out.content = *content;
  if (response.content_length && *response.content_length != content->range.size()) {
    out.verdict = PartVerdict::length_disagrees;
  } else {
    out.verdict = answers(*content, asked) ? PartVerdict::fits : PartVerdict::not_asked;
  }
  return out;
}

bool same_version(const http::Headers& a, const http::Headers& b, WallTime now) noexcept {
  const auto of_a = strong_validator(a, now);
  if (of_a.empty() || of_a != strong_validator(b, now)) return false;
  const auto range_a = parse_content_range(a.get("content-range").value_or(""));
  const auto range_b = parse_content_range(b.get("content-range").value_or(""));
  return !range_a || !range_b || !range_a->complete || !range_b->complete || range_a->complete == range_b->complete;
}

std::optional<ByteRange> unite(const ByteRange& a, const ByteRange& b) noexcept {
  const auto& low = a.first <= b.first ? a : b;
  const auto& high = a.first <= b.first ? b : a;
  if (high.first > low.last + 1) return std::nullopt;
  return ByteRange{low.first, std::max(low.last, high.last)};
}

bool is_complete(const ContentRange& content) noexcept {
  return content.complete && content.range.first == 0 && content.range.last + 1 == *content.complete;
}

std::optional<RangeDecision> decide_from_part(const http::Headers& request, const http::Headers& stored,
                                              const ContentRange& part, WallTime now) {
  // Without the complete length only what lies within the part can be told apart from what lies behind the end: the
  // part's own end stands for it, and what reaches that far must ask.
  const uint64_t length = part.complete.value_or(std::numeric_limits<uint64_t>::max() - 1);
  auto decision = decide_range(request, stored, length, now);
  if (decision.verdict == RangeVerdict::whole) return std::nullopt;
  if (decision.verdict == RangeVerdict::unsatisfiable) {
    return part.complete ? std::optional(decision) : std::nullopt;
  }
  for (const auto& range : decision.ranges) {
    if (range.first < part.range.first || range.last > part.range.last) return std::nullopt;
  }
  return decision;
}

std::string slice_key(uint64_t index) { return "\nslice=" + std::to_string(index); }

ByteRange slice_range(uint64_t index, uint64_t size, std::optional<uint64_t> complete) noexcept {
  const uint64_t end = (index + 1) * size;
  return {index * size, std::min(end, complete.value_or(end)) - 1};
}

uint64_t first_wanted(const http::Headers& request) noexcept {
  const auto value = request.get("range");
  if (!value) return 0;
  // The first of several: where the list ends does not matter here.
  http::Headers first;
  first.add("range", value->substr(0, value->find(',')));
  const auto asked = single_range(first);
  // Beyond any body: no slice has such a number.
  return asked && asked->first && *asked->first < (uint64_t{1} << 62) ? *asked->first : 0;
}

SliceVerdict judge_slice(const http::ResponseHead& response, uint64_t index, uint64_t size,
                         const http::Headers* version, WallTime now) {
  const auto wanted = slice_range(index, size, std::nullopt);
  const auto [verdict, content] = judge_part(response, {wanted.first, wanted.last});
  if (version != nullptr && !same_version(*version, response.headers, now)) return SliceVerdict::changed;
  if (verdict != PartVerdict::fits || !content.complete) return SliceVerdict::not_sliceable;
  if (content.range.last != slice_range(index, size, content.complete).last) return SliceVerdict::not_sliceable;
  if (is_complete(content)) return SliceVerdict::whole;
  return strong_validator(response.headers, now).empty() ? SliceVerdict::not_sliceable : SliceVerdict::fits;
}

std::string content_range(const ByteRange& range, std::optional<uint64_t> complete) {
  if (complete) return content_range(range, *complete);
  return fmt::format("bytes {}-{}/*", range.first, range.last);
}

} // namespace verge::policy
