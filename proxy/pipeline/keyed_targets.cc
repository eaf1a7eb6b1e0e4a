#include "proxy/pipeline/keyed_targets.h"

#include <algorithm>

namespace verge::pipeline {
namespace {

using cache::Target;

void add(std::vector<Target>& out, Target target) {
  const auto same = [&](const Target& t) {
    return t.kind == target.kind && t.host == target.host && t.value == target.value;
  };
  if (std::ranges::none_of(out, same)) out.push_back(std::move(target));
}

// An exact URL as the route of `site` for its path files it.
void add_exact(const Site& site, const Target& named, std::vector<Target>& out) {
  const Route* route = Snapshot::route(site, std::string_view(named.value).substr(0, named.value.find('?')));
  if (route == nullptr) return;
  Target keyed = named;
  policy::to_key_url(route->key, keyed.host, keyed.value);
  if (named.host.empty()) keyed.host.clear(); // every host
  add(out, std::move(keyed));
}

// A pattern, a tag or all of one host: also under the host that stands for it.
void add_host(const Site& site, const Target& named, std::vector<Target>& out) {
  for (const auto& route : site.routes) {
    if (route.key.host.empty() || route.key.host == named.host) continue;
    Target keyed = named;
    keyed.host = route.key.host;
    add(out, std::move(keyed));
  }
}

} // namespace

void add_keyed_targets(const Snapshot& snapshot, std::vector<Target>& targets) {
  if (!snapshot.has_key_rules()) return;
  std::vector<Target> more;
  for (const auto& named : targets) {
    const bool exact = named.kind == Target::Kind::exact;
    if (named.host.empty()) { // tags, patterns and all of every host cover every key already
      if (!exact) continue;
      for (const auto& site : snapshot.sites()) add_exact(site, named, more);
    } else if (const Site* site = snapshot.site(named.host)) {
      exact ? add_exact(*site, named, more) : add_host(*site, named, more);
    }
  }
  for (auto& target : more) add(targets, std::move(target));
}

} // namespace verge::pipeline
