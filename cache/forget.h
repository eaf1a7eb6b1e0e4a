// Forgetting commands: one is of use while something stored is older than it. Looks for the oldest seq that anything
// carries, in memory, under way and on disk, and lets go of the rows below. Should something older turn up nevertheless
// (it moved while we looked), it is taken for dead: that costs a miss.
#pragma once

#include <functional>

#include "cache/core.h"
#include "proxy/base/executor.h"

namespace verge::cache {

// In short steps on `on`, and on a reader thread for the disk. `done` runs on `on`, with how many rows went. `core`
// outlives it.
void forget_old(Core& core, Executor& on, std::move_only_function<void(size_t)> done);

} // namespace verge::cache
