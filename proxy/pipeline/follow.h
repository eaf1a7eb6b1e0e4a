// Waiting for what another request fetches (collapsing), and what to do when it is here.
#pragma once

#include "proxy/pipeline/exchange.h"

namespace verge::pipeline {

inline constexpr int kMostTries = 3; // times a follower tries to share before it fetches alone

Step begin_following(Exchange& ex, cache::EntryRef flight);
// Somebody else's flight has come on, or we have waited long enough.
Step follow(Exchange& ex);

// The store has changed since lookup.
Step look_again(Exchange& ex);

} // namespace verge::pipeline
