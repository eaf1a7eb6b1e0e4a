#include "proxy/pipeline/body_plan.h"

#include <unistd.h>

#include <array>
#include <cstdlib>

#include "cache/policy/partial.h"

namespace verge::pipeline {

uint64_t BodyPlan::length() const noexcept {
  uint64_t n = end.size();
  for (const auto& piece : pieces) n += piece.text.size() + piece.range.size();
  return n;
}

BodyPlan multipart(const std::vector<policy::ByteRange>& ranges, std::optional<uint64_t> complete,
                   std::string_view content_type, std::string_view boundary) {
  BodyPlan plan;
  for (const auto& range : ranges) {
    std::string text = plan.pieces.empty() ? "--" : "\r\n--";
    text += boundary;
    if (!content_type.empty()) {
      text += "\r\nContent-Type: ";
      text += content_type;
    }
    text += "\r\nContent-Range: " + policy::content_range(range, complete) + "\r\n\r\n";
    plan.pieces.push_back({std::move(text), range});
  }
  plan.end = "\r\n--";
  plan.end += boundary;
  plan.end += "--\r\n";
  return plan;
}

std::string new_boundary() {
  static constexpr char kHex[] = "0123456789abcdef";
  std::array<unsigned char, 16> octets;
  if (::getentropy(octets.data(), octets.size()) != 0)
    std::abort(); // only where the kernel has no random source at all
  std::string out;
  for (const unsigned char c : octets) {
    out += kHex[c >> 4];
    out += kHex[c & 15];
  }
  return out;
}

} // namespace verge::pipeline
