#include "proxy/control/events/buckets.h"

#include <algorithm>
#include <set>

#include "origin/aws/encoding.h"
#include "proxy/base/glob.h"

namespace verge::control {
namespace {

// The paths by which clients ask for an object: what a path may hold stands there plainly, or all of it %-encoded as
// form libraries do, or as encodeURIComponent() leaves it. Cache keys keep these apart, the object is one.
std::set<std::string> url_paths(std::string_view key) {
  std::set<std::string> out;
  for (const std::string_view plain : {"!$&'()*+,;=:@", "", "!'()*"}) {
    std::string path = "/";
    for (const char c : key) {
      if (plain.find(c) != std::string_view::npos) {
        path += c;
      } else {
        path += origin::aws::percent_encode({&c, 1}, true);
      }
    }
    out.insert(std::move(path));
  }
  return out;
}

// With any query: a bucket looks at no query, a cache key does.
void add_path(const std::string& host, std::string_view match, std::string_view key, std::vector<cache::Target>& out) {
  for (const auto& path : url_paths(key)) {
    if (!glob_match(match, path)) continue;
    out.push_back({cache::Target::Kind::exact, host, path});
    out.push_back({cache::Target::Kind::pattern, host, path + "?*"});
  }
}

} // namespace

Buckets::Buckets(const config::Config& config) {
  std::map<std::string, std::set<Place>> found;
  for (const auto& site : config.sites) {
    for (const auto& route : site.routes) {
      const auto origin = config.origins.find(route.origin);
      if (origin == config.origins.end() || origin->second.type != config::OriginType::s3) continue;
      const auto& s3 = origin->second;
      for (const auto& host : site.hosts) {
        const bool many = host.starts_with('*');
        found[s3.bucket].insert({many ? std::string() : host, route.match, s3.prefix, s3.index});
      }
    }
  }
  for (auto& [bucket, places] : found) places_[bucket].assign(places.begin(), places.end());
}

void Buckets::add(const Place& place, std::string_view key, std::vector<cache::Target>& out) {
  if (!key.starts_with(place.prefix)) return;
  key.remove_prefix(place.prefix.size());
  add_path(place.host, place.match, key, out);
  const bool is_index = !place.index.empty() && key.ends_with(place.index) &&
                        (key.size() == place.index.size() || key[key.size() - place.index.size() - 1] == '/');
  if (!is_index) return;
  key.remove_suffix(place.index.size());
  add_path(place.host, place.match, key, out); // "docs/", or "" for the root
  if (!key.empty()) add_path(place.host, place.match, key.substr(0, key.size() - 1), out);
}

void Buckets::add(std::string_view bucket, std::string_view key, std::string_view other_prefix,
                  std::vector<cache::Target>& out) const {
  const auto it = places_.find(bucket);
  if (it == places_.end()) {
    std::string prefix(other_prefix); // of a folder, with its last slash or without
    if (!prefix.empty() && !prefix.ends_with('/') && key.starts_with(prefix + "/")) prefix += '/';
    return add({"", "*", std::move(prefix), "index.html"}, key, out);
  }
  for (const auto& place : it->second) add(place, key, out);
}

} // namespace verge::control
