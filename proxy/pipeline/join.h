// The part of `join` that its helpers come back to.
#pragma once

#include "proxy/pipeline/exchange.h"

namespace verge::pipeline {

// Asks the origin, or joins the one who does.
Step fetch(Exchange& ex);

} // namespace verge::pipeline
