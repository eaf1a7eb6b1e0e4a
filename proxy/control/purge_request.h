// The body of a purge as users and deploys write it, on the admin API and inside SNS messages alike:
//   {"paths": ["/index.html", "/img/*"], "tags": ["home"], "hosts": ["www.example.com"], "all": false, "soft": false}
#pragma once

#include <string>
#include <string_view>

#include "cache/invalidate/epochs.h"
#include "proxy/base/result.h"

namespace verge::control {

// "hosts" scopes paths that name no host of their own, and "all"; without it they hold on every host. Error bad_input
// says which member is wrong and what was meant; unknown members are errors, so that a misspelt "path" is not taken
// for an empty purge. Pure.
Result<cache::Invalidation> parse_purge(std::string_view json);

} // namespace verge::control
