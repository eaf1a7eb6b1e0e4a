// Stored responses as JSON, for the admin API. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "cache/listing.h"

namespace verge::control {

// One row of `verge ls`: key, status, size, age, ttl (seconds; negative: stale), hits, tags, tiers, state.
nlohmann::json row_json(const cache::Listed& row);
// All that is known of it: the row, its fields, what it varies with, times, freshness and the invalidation that hit it.
nlohmann::json entry_json(const cache::Listed& row);

} // namespace verge::control
