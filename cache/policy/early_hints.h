// Early hints (RFC 8297): what a stored response can tell a client before the origin has answered. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/http/headers.h"

namespace verge::policy {

// The members of the response's Link fields (RFC 8288) whose relation is one that a client acts on before it has the
// page: preload, preconnect, modulepreload. As they stand, in their order, at most kMostHints. A member that cannot be
// parsed is left out.
inline constexpr size_t kMostHints = 16;
std::vector<std::string_view> early_links(const http::Headers& response);

} // namespace verge::policy
