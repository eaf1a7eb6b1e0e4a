// Surrogate-Control, as the Edge Architecture Specification (W3C Note, 4 August 2001) describes it and CDNs read it:
// directives for caches that act for the origin. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "cache/policy/cache_control.h"
#include "proxy/http/headers.h"

namespace verge::policy {

inline constexpr std::string_view kSurrogateControl = "surrogate-control"; // in Rules::targets

// What it says to the surrogate called `id`. None when it holds no directive about storing that is meant for us.
// - `max-age=3600+600`: fresh for 3600 s, then 600 s more while it is asked for anew or the origin fails. No such
//   number: stale, as with Cache-Control.
// - `no-store`; `no-store-remote` too: it is for surrogates away from the origin's own network, and an edge is.
// - Directives of Cache-Control beside them mean what they mean there (CDNs read stale-while-revalidate here).
// - `content="ESI/1.0"` asks for a processing that we never claim to do, and says nothing about storing.
// - `max-age=60;id` is only for the surrogate of that name, and goes before the same directive without a name.
std::optional<ResponseDirectives> surrogate_directives(const http::Headers& headers, std::string_view id);

} // namespace verge::policy
