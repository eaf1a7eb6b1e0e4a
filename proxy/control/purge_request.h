// The body of a purge as users and deploys write it, on the admin API and inside SNS messages alike:
//   {"paths": ["/index.html", "/img/*"], "tags": ["home"], "hosts": ["www.example.com"], "all": false, "soft": false,
//    "refetch": false, "id": "deploy-7"}
// Nodes write to each other what they took in any form, target by target:
//   {"id": "...", "taken_by": "edge-1 admin", "soft": false, "targets": [{"kind": "url", "host": "", "value": "/a"}]}
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cache/invalidate/epochs.h"
#include "proxy/base/result.h"

namespace verge::control {

// "hosts" scopes paths that name no host of their own, and "all"; without it they hold on every host. Error bad_input
// says which member is wrong and what was meant; unknown members are errors, so that a misspelt "path" is not taken
// for an empty purge. `source` is what "taken_by" says: unproved, for people. Pure.
Result<cache::Invalidation> parse_purge(std::string_view json);

// As nodes write it to each other; parse_purge() makes the same of it, whatever the targets are.
std::string purge_message(const cache::Invalidation& purge, std::string_view taken_by);

// The same as the admin API takes it, with two members more: "sites": ["www.example.com"], everything of the sites
// that have these hosts; "dry_run": true, nothing is applied, what would go is counted.
struct AdminPurge {
  cache::Invalidation what;
  bool dry_run = false;
};
// `sites`: the hosts of each site that is configured.
Result<AdminPurge> parse_admin_purge(std::string_view json, const std::vector<std::vector<std::string>>& sites);

} // namespace verge::control
