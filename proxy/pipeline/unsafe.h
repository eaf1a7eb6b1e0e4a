// What an unsafe request makes of the store (RFC 9111 section 4.4, RFC 9875).
#pragma once

#include "proxy/pipeline/exchange.h"

namespace verge::pipeline {

// After a non-error answer to a method that is not known to be safe: invalidates what is stored for its URI, and for
// those of the same origin that Location and Content-Location name, and what shares a group with one of these (RFC 9875
// section 2.2.1). After any answer to such a method: the groups that Cache-Group-Invalidation names (section 3).
void invalidate_after_unsafe(Exchange& ex, int origin_status, const cache::StoredHead& response);

} // namespace verge::pipeline
