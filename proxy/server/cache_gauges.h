// What /metrics tells of the cache.
#pragma once

#include <memory>
#include <vector>

#include "cache/cache.h"
#include "proxy/base/metrics.h"

namespace verge::server {

// `cache` outlives them.
std::vector<std::unique_ptr<metrics::Gauge>> cache_gauges(const cache::Cache& cache);

} // namespace verge::server
