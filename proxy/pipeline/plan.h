// plan: what an Exchange wants fetched, made in `join`.
#pragma once

#include "proxy/pipeline/exchange.h"

namespace verge::pipeline {

// `store`: for the cache and all who ask the same; else for this client alone.
Plan make_plan(Exchange& ex, bool store);

} // namespace verge::pipeline
