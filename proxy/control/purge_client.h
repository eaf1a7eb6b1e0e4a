// `verge purge`, `verge purges`: asks a node's admin API from the command line. Blocking; for the CLI only.
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
  std::vector<std::string> sites; // by a host of each
  bool all = false;
  bool soft = false;
  bool dry_run = false; // count only
  bool wait = false;    // until every node has applied it; tells node by node
};

// The text to print ("purged 2 paths, 1 tag: sequence 17, 0.8 ms"). Errors say what to do: no node listens there, the
// token is missing or wrong, a path is not one. With `wait` a table of the nodes follows.
Result<std::string> run_purge(const PurgeRequest& request);

// `verge purges`: the node's latest purges as a table, newest first; `most` 0: all it knows. `json`: one object a line.
Result<std::string> run_purges(const AdminAddress& node, size_t most, bool json);

} // namespace verge::control
