// `verge purge`: asks a node's admin API from the command line. Blocking; for the CLI only.
#pragma once

#include <string>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/control/admin_client.h"

namespace verge::control {

struct PurgeRequest {
  AdminAddress node;
  std::vector<std::string> paths; // URLs, paths and patterns as parse_target takes them
  std::vector<std::string> tags;
  bool all = false;
  bool soft = false;
};

// The text to print ("purged 2 paths, 1 tag: sequence 17, 0.8 ms"). Errors say what to do: no node listens there, the
// token is missing or wrong, a path is not one.
Result<std::string> run_purge(const PurgeRequest& request);

} // namespace verge::control
