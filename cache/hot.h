// Which responses in memory an invalidation has ended that were asked for often: what is worth fetching again.
#pragma once

#include <functional>
#include <vector>

#include "cache/core.h"
#include "proxy/base/executor.h"

namespace verge::cache {

// `command` as Cache::settled() made it, applied already. See Cache::hot(). `core` outlives it.
void find_hot(Core& core, Invalidation command, size_t most, Executor& on,
              std::move_only_function<void(std::vector<Cache::Hot>)> done);

} // namespace verge::cache
