// Sections 3.3 and 3.4 of the model: parts of a body.
#include <algorithm>

#include "tests/cache/policy/rfc9111_model.h"

namespace verge::model {
namespace {

std::optional<uint64_t> number(const Text& s) {
  if (s.empty() || s.size() > 18 || s.find_first_not_of("0123456789") != Text::npos) return std::nullopt;
  return std::stoull(s);
}

// A strong ETag, or a Last-Modified that is strong (RFC 9110 section 8.8.2.2). House: the latter only without any ETag.
Text strong_validator(const FieldLines& lines, Millisecond now) {
  if (const auto tags = values_of(lines, "etag"); !tags.empty())
    return tags.size() == 1 && strong(tags.front()) ? tags.front() : Text{};
  const auto modified = date_field(lines, "last-modified", now);
  const auto date = date_field(lines, "date", now);
  return modified && date && *date - *modified >= 1 ? values_of(lines, "last-modified").front() : Text{};
}

} // namespace

std::optional<PartOf> part_of(const FieldLines& lines) {
  // RFC 9110 section 14.4: "bytes" SP first "-" last "/" ( complete / "*" )
  const auto values = values_of(lines, "content-range");
  if (values.size() != 1) return std::nullopt;
  const Text value = lower(values.front());
  if (!value.starts_with("bytes ")) return std::nullopt;
  const size_t dash = value.find('-'), slash = value.find('/');
  if (dash == Text::npos || slash == Text::npos || slash < dash) return std::nullopt;
  const auto first = number(value.substr(6, dash - 6));
  const auto last = number(value.substr(dash + 1, slash - dash - 1));
  const Text rest = value.substr(slash + 1);
  const auto complete = number(rest);
  // "A Content-Range field value is invalid if [...] last-pos is less than its first-pos, or if [complete-length is]
  // less than or equal to its last-pos. The recipient of an invalid Content-Range MUST NOT attempt to recombine".
  if (!first || !last || *last < *first || (!complete && rest != "*") || (complete && *complete <= *last)) {
    return std::nullopt;
  }
  return PartOf{*first, *last, rest == "*" ? std::nullopt : complete};
}

bool part_is_kept(const Message& response, const Asked& asked) {
  const auto part = part_of(response.lines);
  const auto type = values_of(response.lines, "content-type");
  const bool multipart = !type.empty() && lower(type.front()).starts_with("multipart/byteranges");
  if (takes(!part || multipart, Rule::part_not_one_range)) return false;
  const uint64_t size = part->last - part->first + 1;
  if (takes(response.octets && *response.octets != size, Rule::part_length_disagrees)) return false;
  // RFC 9110 section 15.3.7: one "might receive only a portion of the ranges that it requested". House: it begins where
  // was asked; a suffix is all of the suffix.
  bool fits = false;
  if (asked.first) {
    fits = part->first == *asked.first && (!asked.last || part->last <= *asked.last);
  } else if (part->complete) {
    fits = part->last + 1 == *part->complete && size == std::min(*asked.last, *part->complete);
  }
  take(fits ? Rule::part_fits : Rule::part_not_asked);
  return fits;
}

bool may_combine(const FieldLines& a, const FieldLines& b, Millisecond now) {
  // "only if they share the same strong validator". House: and no other complete length.
  const Text of_a = strong_validator(a, now), of_b = strong_validator(b, now);
  if (takes(of_a.empty() || of_a != of_b, Rule::part_other_version)) return false;
  const auto part_a = part_of(a), part_b = part_of(b);
  const bool lengths_differ =
      part_a && part_b && part_a->complete && part_b->complete && *part_a->complete != *part_b->complete;
  return !lengths_differ && takes(true, Rule::part_same_version);
}

std::optional<Octets> octets_of_part(const FieldLines& request, const FieldLines& stored, const PartOf& part,
                                     size_t most_ranges, Millisecond now) {
  // Section 3.3: "MUST NOT use an incomplete response to answer requests unless the response has been made complete, or
  // the request is partial and specifies a range wholly within the incomplete response". Where the length is not known,
  // it is taken as far beyond all that is asked for here.
  constexpr uint64_t kFar = 1000;
  Octets out = octets_asked(request, stored, part.complete.value_or(kFar), most_ranges, now);
  if (out.part == Part::whole) return std::nullopt;
  if (out.part == Part::unsatisfiable) return part.complete ? std::optional(out) : std::nullopt;
  const bool within = *out.wanted.begin() >= part.first && *out.wanted.rbegin() <= part.last;
  take(within ? Rule::part_answers : Rule::part_lacks);
  return within ? std::optional(out) : std::nullopt;
}

} // namespace verge::model
