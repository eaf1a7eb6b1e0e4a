// Text as whoever reads it takes it: lower case, one level of percent-encoding, HTML and JavaScript escapes undone, "+"
// as the space it is in a form. Pure.
#pragma once

#include <string>
#include <string_view>

namespace verge::policy {

std::string unescaped(std::string_view text);
// False: unescaped() would change nothing but the case.
bool has_escapes(std::string_view text) noexcept;

} // namespace verge::policy
