// Does a request prove that it may post unsigned events? Pure.
#pragma once

#include "config/config.h"
#include "proxy/http/message.h"

namespace verge::control {

// By the configured user and password (Basic, RFC 7617), or by the configured field with its key: one of them, if there
// are any; else knowing the path is the proof. Takes the same time wherever a wrong one differs.
bool may_push(const config::Push& options, const http::Headers& fields);

} // namespace verge::control
