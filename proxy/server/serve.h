// `verge serve`: runs a node until a signal ends it.
#pragma once

#include <string>

namespace verge::server {

// SIGTERM, SIGINT: stop accepting, let exchanges end (limits.drain_timeout), exit 0; a second one ends at once, exit 1.
// SIGHUP: read the configuration anew and reopen the logs. Returns the exit code. Call from main only.
int serve(const std::string& config_path, const char* version);

// Prints every fault; true if there is none.
bool report_faults(const std::string& config_path);

} // namespace verge::server
