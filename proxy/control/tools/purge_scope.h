// What a tool's command is meant for: which hosts stand behind an id of the tool's, and the command on just these.
// Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cache/invalidate/epochs.h"
#include "config/config.h"
#include "proxy/base/result.h"
#include "proxy/control/purge_limits.h"

namespace verge::control {

using PurgeScopes = std::map<std::string, config::PurgeScope>;

struct Scope {
  std::vector<std::string> hosts; // what names no host is meant for these; empty: for every host
  bool closed = false;            // nothing on another host may be named
};
// What `id` stands for. Where no ids are configured, or none is given: the hosts that the caller is limited to, if they
// are names. Error not_found: ids are configured, and this is none of them.
Result<Scope> scope_of(const PurgeScopes& scopes, const std::string& id, const PurgeLimits* limits);

// Binds targets that name no host to each host of the scope. Error refused (side client): a host beyond a closed scope.
Result<> bind_hosts(std::vector<cache::Target>& targets, const Scope& scope);

} // namespace verge::control
