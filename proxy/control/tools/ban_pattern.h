// Regular expressions of the kind that BAN requests carry, as our patterns. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cache/invalidate/epochs.h"
#include "proxy/base/result.h"

namespace verge::control {

// What covers every path with query that the expression matches, and perhaps more, as paths and patterns:
// "^/img/.*\.png$" -> "/img/*.png"; "^/a" -> "/a*"; "/b$" -> "/b" and "/*/b"; "^/a.b$" -> "/a*b", for a plain "." is
// any character. Known are ^ $ . .* .+ and \ before a sign. Error bad_input: it holds something else.
Result<std::vector<std::string>> ban_patterns(std::string_view expression);

// A host that is plain text, "^www\.example\.com$" or ".*" (every host: ""). Error bad_input.
Result<std::string> ban_host(std::string_view expression);

// Tags out of "a|b", "(a|b)(,.+)?$", "((^|,)a(,|$))|((^|,)b(,|$))", "a,b" or "a b"; ".*" gives none: all is meant.
// Error bad_input.
struct BanTags {
  bool all = false;
  std::vector<cache::Target> tags;
};
Result<BanTags> ban_tags(std::string_view expression);

} // namespace verge::control
