// Why an answer is not stored, in plain words, with the sentence of the RFC and the row of the configuration behind it.
// Pure.
#pragma once

#include <string_view>

#include "cache/policy/storing.h"

namespace verge::pipeline {

struct VerdictWords {
  std::string_view text;  // "it sets a cookie"
  std::string_view rfc;   // "RFC 9111 section 5.2.2.5"; empty: ours alone
  std::string_view field; // of the route, "cache.set_cookie", that would decide otherwise; empty: none
};
VerdictWords words_of(policy::StoreVerdict verdict) noexcept;

} // namespace verge::pipeline
