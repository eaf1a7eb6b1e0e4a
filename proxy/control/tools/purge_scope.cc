#include "proxy/control/tools/purge_scope.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "proxy/http/grammar.h"

namespace verge::control {

Result<Scope> scope_of(const PurgeScopes& scopes, const std::string& id, const PurgeLimits* limits) {
  if (scopes.empty() || id.empty()) {
    return Scope{limits != nullptr ? limits->plain_hosts() : std::vector<std::string>(), false};
  }
  const auto it = scopes.find(id);
  if (it == scopes.end()) {
    return fail(Errc::not_found, fmt::format("\"{}\" is not configured on this node", id.substr(0, 100)), Side::client);
  }
  Scope out{it->second.hosts, true};
  for (auto& host : out.hosts) std::ranges::transform(host, host.begin(), http::lower);
  return out;
}

Result<> bind_hosts(std::vector<cache::Target>& targets, const Scope& scope) {
  if (scope.hosts.empty()) return {};
  std::vector<cache::Target> out;
  for (auto& target : targets) {
    if (target.host.empty()) {
      for (const auto& host : scope.hosts) {
        out.push_back(target);
        out.back().host = host;
      }
    } else if (!scope.closed || std::ranges::find(scope.hosts, target.host) != scope.hosts.end()) {
      out.push_back(std::move(target));
    } else {
      return fail(Errc::refused,
                  fmt::format("\"{}\" is on another host than {}", cache::to_text(target).substr(0, 200),
                              fmt::join(scope.hosts, ", ")),
                  Side::client);
    }
  }
  targets = std::move(out);
  return {};
}

} // namespace verge::control
