// What a successful unsafe request makes of the store (RFC 9111 section 4.4).
#pragma once

#include "proxy/pipeline/exchange.h"

namespace verge::pipeline {

// After a non-error answer to a method that is not known to be safe: invalidates what is stored for its URI, and for
// those of the same origin that Location and Content-Location name.
void invalidate_after_unsafe(Exchange& ex, int origin_status, const http::Headers& response);

} // namespace verge::pipeline
