// 1xx answers on their way to the client, and the 103 that a stored response gives before the origin does (RFC 8297).
#pragma once

#include "proxy/pipeline/exchange.h"

namespace verge::pipeline {

// The origin is being asked though a response of this key is stored: its links may be true still, and cost nothing if
// they are not. At most once for a request.
void send_early_hints(Exchange& ex);
// Hands an interim response of the origin on. Links that the client has been told already are left out.
void forward_interim(Exchange& ex, const http::ResponseHead& head);

} // namespace verge::pipeline
