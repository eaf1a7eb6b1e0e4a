#include "proxy/pipeline/snapshot.h"

#include <map>

#include "proxy/base/glob.h"

namespace verge::pipeline {
namespace {

policy::Rules rules_of(const config::RouteCache& c) {
  policy::Rules r;
  r.enabled = c.enabled;
  r.ttl_default = c.ttl.default_;
  r.ttl_min = c.ttl.min;
  r.ttl_max = c.ttl.max;
  r.heuristic = c.heuristic;
  r.store_set_cookie = c.store_set_cookie;
  r.stale_while_revalidate = c.stale_while_revalidate;
  r.stale_if_error = c.stale_if_error;
  r.honour_request_directives = c.honour_request_directives;
  r.tags = c.tags;
  r.max_object = c.max_object;
  return r;
}

} // namespace

std::shared_ptr<const Snapshot> Snapshot::compile(std::shared_ptr<const config::Config> config) {
  auto snapshot = std::make_shared<Snapshot>();
  auto& s = *snapshot;
  std::map<std::string, size_t> index;
  for (const auto& [name, origin] : config->origins) {
    index[name] = s.origins_.size();
    s.origins_.push_back(&origin);
  }
  for (const auto& from : config->sites) {
    Site site;
    for (const auto& route : from.routes) {
      site.routes.push_back({route.match, route.origin, index.at(route.origin), rules_of(route.cache)});
    }
    const size_t at = s.sites_.size();
    s.sites_.push_back(std::move(site));
    for (const auto& host : from.hosts) {
      if (host == "*") {
        s.any_ = at;
      } else if (host.starts_with("*.")) {
        s.wildcard_.try_emplace(host.substr(1), at);
      } else {
        s.exact_.try_emplace(host, at);
      }
    }
  }
  const auto& l = config->limits;
  s.limits_.head_bytes = l.request_head;
  s.limits_.fields = l.request_fields;
  s.limits_.target_bytes = l.request_target;
  s.limits_.h2_streams = l.h2_streams;
  s.config_ = std::move(config);
  return snapshot;
}

const Site* Snapshot::site(std::string_view host) const {
  if (const auto it = exact_.find(host); it != exact_.end()) return &sites_[it->second];
  if (!wildcard_.empty()) {
    // The longest suffix first: "a.b.example.org" tries ".b.example.org", then ".example.org".
    for (size_t dot = host.find('.'); dot != std::string_view::npos; dot = host.find('.', dot + 1)) {
      if (dot == 0) continue;
      if (const auto it = wildcard_.find(host.substr(dot)); it != wildcard_.end()) return &sites_[it->second];
    }
  }
  return any_ ? &sites_[*any_] : nullptr;
}

const Route* Snapshot::route(const Site& site, std::string_view path) {
  for (const auto& route : site.routes) {
    if (glob_match(route.match, path)) return &route;
  }
  return nullptr;
}

} // namespace verge::pipeline
