// The rows of what a route says about storing: lifetimes, the key, slices and the rest.
#pragma once

#include "config/config.h"
#include "config/schema.h"

namespace verge::config {

const Table<RouteCache>& route_cache_table();

} // namespace verge::config
