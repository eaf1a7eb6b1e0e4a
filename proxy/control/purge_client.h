// `verge purge`, `verge purges`: asks a node's admin API from the command line. Blocking; for the CLI only.
#pragma once

#include <string>
#include <vector>

#include "proxy/base/clock.h"
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
  bool refetch = false; // what was asked for often, before clients ask
  bool dry_run = false; // count only
  bool wait = false;    // until every node has applied it; tells node by node
  Seconds timeout{0};   // of that; 0: the node's fleet.wait_timeout
  std::string id = {};  // given by the caller: the same again is done once; empty: the node gives one
};

struct PurgeDone {
  std::string text;  // to print, lines and all
  std::string fault; // of the fleet, see FleetReport; empty: none
  int status = 0;    // to exit with
};

// "purged 2 paths, 1 tag: sequence 17, 0.8 ms". Errors say what to do: no node listens there, the token is missing or
// wrong, a path is not one, or it could not be published. With `wait` a table of the nodes follows.
Result<PurgeDone> run_purge(const PurgeRequest& request);

// `verge purges --wait ID`: the table for a purge that went out some other way, as by `aws sns publish`. Error
// not_found: the node has not applied it in that time.
Result<PurgeDone> wait_for_purge(const AdminAddress& node, const std::string& id, Seconds timeout);

// `verge purges`: the node's latest purges as a table, newest first; `most` 0: all it knows. `json`: one object a line.
Result<std::string> run_purges(const AdminAddress& node, size_t most, bool json);

} // namespace verge::control
