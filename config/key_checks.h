// What no single value of a cache key tells: settings that stand against each other.
#pragma once

#include <string>

#include "config/config.h"
#include "config/reader.h"

namespace verge::config {

// `path` of the route: "sites[0].routes[2]".
void check_key(Reader& reader, const std::string& path, const Site& site, const Route& route);

} // namespace verge::config
