// What the answer to a HEAD does to the stored response to a GET (RFC 9111 section 4.3.5).
#pragma once

#include "proxy/pipeline/exchange.h"

namespace verge::pipeline {

// To be called when the origin has answered a HEAD: the stored response that lookup found gets the new fields, or
// counts as stale from now on if it is not the same any more.
void update_after_head(Exchange& ex, const Outcome& answer);

} // namespace verge::pipeline
