// BodyPlan: what a response's body is made of when it is not simply one run of an Entry: text and ranges, in order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cache/policy/range.h"

namespace verge::pipeline {

struct BodyPiece {
  std::string text;        // sent first
  policy::ByteRange range; // then these octets of the complete body
};

struct BodyPlan {
  std::vector<BodyPiece> pieces;
  std::string end; // sent last
  size_t at = 0;   // the piece that is next
  uint64_t length() const noexcept;
  bool empty() const noexcept { return pieces.empty(); }
};

// multipart/byteranges (RFC 9110 section 14.6): one part a range, each with the Content-Type of the whole, if it has
// one.
BodyPlan multipart(const std::vector<policy::ByteRange>& ranges, std::optional<uint64_t> complete,
                   std::string_view content_type, std::string_view boundary);
// One that nobody can guess, and so nobody can write into a body.
std::string new_boundary();

} // namespace verge::pipeline
