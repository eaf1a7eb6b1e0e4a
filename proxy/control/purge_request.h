// The body of a purge as users and deploys write it, on the admin API and inside SNS messages alike:
//   {"paths": ["/index.html", "/img/*"], "tags": ["home"], "hosts": ["www.example.com"], "all": false, "soft": false}
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cache/invalidate/epochs.h"
#include "proxy/base/result.h"

namespace verge::control {

// "hosts" scopes paths that name no host of their own, and "all"; without it they hold on every host. Error bad_input
// says which member is wrong and what was meant; unknown members are errors, so that a misspelt "path" is not taken
// for an empty purge. Pure.
Result<cache::Invalidation> parse_purge(std::string_view json);

// The same as the admin API takes it, with three members more: "sites": ["www.example.com"], everything of the sites
// that have these hosts; "dry_run": true, nothing is applied, what would go is counted; "count": true, what goes is
// counted too.
struct AdminPurge {
  cache::Invalidation what;
  bool dry_run = false, count = false;
};
// `sites`: the hosts of each site that is configured.
Result<AdminPurge> parse_admin_purge(std::string_view json, const std::vector<std::vector<std::string>>& sites);

} // namespace verge::control
