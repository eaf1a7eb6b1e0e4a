#include "proxy/pipeline/snapshot.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "cache/policy/site.h"
#include "proxy/http/grammar.h"

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
  r.no_vary_search = c.no_vary_search;
  for (const auto& n : c.negative) r.negative.push_back({n.status, n.ttl});
  const auto& d = c.client_cache_control;
  r.honoured = {d.no_cache, d.no_store, d.max_age, d.min_fresh, d.max_stale, d.only_if_cached};
  r.targets = c.targets;
  r.surrogate_id = c.surrogate_id;
  r.surrogate_capability = c.surrogate_capability;
  r.tag_headers.clear();
  for (const auto& h : c.tag_headers) r.tag_headers.push_back({h.name, h.separator});
  r.strip = c.strip.value_or(std::vector<std::string>{"verge-cache-control", "surrogate-control"});
  if (!c.strip) {
    for (const auto& h : c.tag_headers) r.strip.push_back(h.name);
  }
  r.refresh_ahead = {c.refresh_ahead.percent, c.refresh_ahead.time};
  r.query = std::ranges::find(c.methods, "QUERY") != c.methods.end();
  r.post = std::ranges::find(c.methods, "POST") != c.methods.end();
  r.key_body = c.key_body;
  r.tags = c.tags;
  r.max_object = c.max_object;
  r.slice = c.slice;
  return r;
}

policy::KeyRules key_of(const config::Site& site, const config::Route& route) {
  const auto& from = route.cache.key;
  const auto& query = from.query;
  policy::KeyRules k;
  for (const auto& name : query.allow) k.query_names.add(name);
  for (const auto& name : query.deny) k.query_names.add(name);
  if (query.drop_tracking) {
    for (const auto name : policy::kTrackingParameters) k.query_names.add(name);
  }
  if (query.mode == config::KeyQueryMode::none) {
    k.query = policy::KeyRules::Query::none;
  } else if (!k.query_names.empty()) {
    k.query = query.allow.empty() ? policy::KeyRules::Query::deny : policy::KeyRules::Query::allow;
  }
  k.sort_query = query.sort;
  k.forward_dropped = query.forward_dropped;
  k.headers = from.headers;
  for (auto& name : k.headers) std::ranges::transform(name, name.begin(), http::lower);
  for (auto& name : forwarded_overrides(route.forward)) k.headers.push_back(std::move(name));
  std::ranges::sort(k.headers);
  const auto doubles = std::ranges::unique(k.headers);
  k.headers.erase(doubles.begin(), doubles.end());
  k.cookies_named = from.cookies.word == "none" || !from.cookies.list.empty();
  for (const auto& name : from.cookies.list) k.cookies.add(name);
  if (!from.scheme) k.scheme = "https";
  if (!from.host) k.host = site.hosts.front();
  return k;
}

Waiting waiting_of(const config::RouteCache& c, const config::Limits& limits) {
  return {c.follow_timeout.value_or(limits.follow_timeout), c.stale_if_slow, c.fail_timeout, c.early_hints};
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
      site.table.add(route.match);
      auto key = key_of(from, route);
      auto forward = ForwardRules::compile(route.forward, key);
      s.has_key_rules_ |= !key.plain() || !key.host.empty();
      site.routes.push_back(
          {route.match, route.origin, index.at(route.origin), rules_of(route.cache), std::move(key), std::move(forward),
           fmt::format("sites[{}].routes[{}]", s.sites_.size(), site.routes.size()), route.cache.refuse_reflections,
           waiting_of(route.cache, config->limits), route.cache.status_field});
      site.routes.back().rules.site = policy::site_id(from.hosts.front());
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
  const auto index = site.table.first(path);
  return index ? &site.routes[*index] : nullptr;
}

} // namespace verge::pipeline
