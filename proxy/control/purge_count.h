// What of the store a purge concerns, counted. Control loop only.
#pragma once

#include <functional>

#include "cache/cache.h"
#include "proxy/base/executor.h"

namespace verge::control {

// Counts the stored responses that `command` would end (soft: mark stale), were it applied now; those dead already
// (soft: or stale) not. Looks at every entry, page by page, on a reader thread; `done` runs on `loop`. `cache` and
// `loop` outlive it.
void count_purge(cache::Cache& cache, Executor& loop, const cache::Invalidation& command,
                 std::move_only_function<void(uint64_t)> done);

// The same of one that was applied as `seq`: counts those it names that were fetched before it, wherever they are still
// stored. One that an earlier purge had ended already, and that nobody has asked for since, is among them.
void count_purged(cache::Cache& cache, Executor& loop, const cache::Invalidation& command, uint64_t seq,
                  std::move_only_function<void(uint64_t)> done);

} // namespace verge::control
