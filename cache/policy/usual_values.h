// Request field values that everybody sends: that an answer holds one of them says nothing. Pure.
#pragma once

#include <string_view>

namespace verge::policy {

// `name` in lower case. Judged by the value, not by the name alone: any field can carry anything.
bool is_usual(std::string_view name, std::string_view value);

} // namespace verge::policy
