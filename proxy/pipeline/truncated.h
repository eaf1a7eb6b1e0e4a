// truncated: what is kept of a response that its origin cut short (RFC 9111 section 3.3).
#pragma once

#include "cache/cache.h"
#include "proxy/pipeline/services.h"

namespace verge::pipeline {

// `entry`: a 200 that was being stored and is about to fail. With a strong validator, a declared length and all that
// came still in memory it is stored as the part that it is, to be completed by the next request; else nothing is done.
// Its readers are cut all the same.
void keep_truncated(Services& services, const cache::Entry& entry);

} // namespace verge::pipeline
