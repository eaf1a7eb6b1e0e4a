// Stored parts of a body (RFC 9110 section 15.3.7, RFC 9111 sections 3.3 and 3.4) and slices. Pure.
//
// A part is a stored 206: its Content-Range says which octets it has. It is filed under the URL's key and kPartKey.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/policy/range.h"
#include "proxy/base/clock.h"
#include "proxy/http/message.h"

namespace verge::policy {

inline constexpr std::string_view kPartKey = "\npart";

// --- what an origin's 206 is worth ---

enum class PartVerdict : uint8_t {
  fits,
  not_one_range,    // no Content-Range, several, an invalid one, or multipart/byteranges
  length_disagrees, // the body is declared shorter or longer than Content-Range says
  not_asked,        // other octets than those that were asked for
};
std::string_view to_string(PartVerdict v) noexcept;

struct PartJudgement {
  PartVerdict verdict = PartVerdict::not_one_range;
  ContentRange content; // set unless not_one_range
};
// Is the 206 a part that may be kept? It may have less than was asked for (RFC 9110 section 15.3.7), if it begins where
// was asked; a suffix must be the suffix.
PartJudgement judge_part(const http::ResponseHead& response, const AskedRange& asked);

// The same version by strong validators on both sides (RFC 9111 section 3.4), with nothing said against it by the
// complete lengths.
bool same_version(const http::Headers& a, const http::Headers& b, WallTime now) noexcept;

// --- combining ---

// One range where both touch or overlap; none otherwise.
std::optional<ByteRange> unite(const ByteRange& a, const ByteRange& b) noexcept;

// Does it have all of the body?
bool is_complete(const ContentRange& content) noexcept;

// --- answering ---

// What a stored part answers to a request's Range: as decide_range(), in octets of the complete body. None: it lacks
// some of the octets, or the request asks for the whole; the origin must be asked.
std::optional<RangeDecision> decide_from_part(const http::Headers& request, const http::Headers& stored,
                                              const ContentRange& part, WallTime now);

// --- slices: aligned pieces of a large body, each stored for itself ---

std::string slice_key(uint64_t index); // what stands behind the URL's key: "\nslice=3"
// The octets of slice `index`; cut to the body where its length is known.
ByteRange slice_range(uint64_t index, uint64_t size, std::optional<uint64_t> complete) noexcept;
// The first octet that the request is sure to want: where the first of its ranges begins; 0 for the whole or a suffix.
uint64_t first_wanted(const http::Headers& request) noexcept;

enum class SliceVerdict : uint8_t {
  fits,
  whole,         // the body is no larger than a slice: all of it came
  not_sliceable, // other octets than those of the slice, no complete length, or no strong validator
  changed,       // of another version than the slices before
};
// `version`: the fields of a slice of the same answer; null: this is the first.
SliceVerdict judge_slice(const http::ResponseHead& response, uint64_t index, uint64_t size,
                         const http::Headers* version, WallTime now);

// The Content-Range field of an answer that has `range` of a body of `complete` octets, if that is known.
std::string content_range(const ByteRange& range, std::optional<uint64_t> complete);

} // namespace verge::policy
