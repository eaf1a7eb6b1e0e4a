// What an invalidation names, as the keys that a configuration files it under. Pure.
#pragma once

#include <vector>

#include "cache/invalidate/epochs.h"
#include "proxy/pipeline/snapshot.h"

namespace verge::pipeline {

// Users name URLs as browsers show them: "https://h/p?utm_source=x&b=1&a=2". Where the route drops or sorts parameters,
// or all hosts of a site share answers, the key is another text: it is added, so that the entry is covered. What was
// named stays too. A pattern is matched against keys as it is.
void add_keyed_targets(const Snapshot& snapshot, std::vector<cache::Target>& targets);

} // namespace verge::pipeline
