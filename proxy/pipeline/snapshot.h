// Snapshot: a configuration compiled for requests. Immutable; each Exchange pins the one it began with.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cache/policy/key_rules.h"
#include "cache/policy/rules.h"
#include "config/config.h"
#include "proxy/http/limits.h"
#include "proxy/pipeline/forward.h"
#include "proxy/pipeline/route_table.h"

namespace verge::pipeline {

// How a route's requests wait for its origin, and what they get meanwhile.
struct Waiting {
  Millis follow_timeout{30'000};
  Millis stale_if_slow{2'000}; // 0: never
  Millis fail_timeout{10'000}; // 0: nothing is remembered
  config::EarlyHints early_hints = config::EarlyHints::http2;
};

struct Route {
  std::string match;
  std::string origin; // name, for logs
  size_t origin_index = 0;
  policy::Rules rules;
  policy::KeyRules key;
  ForwardRules forward;
  std::string config_path; // "sites[0].routes[2]": where Config::lines knows it
  bool refuse_reflections = true;
  Waiting waiting;
  config::StatusField status_field = config::StatusField::on;
};

struct Site {
  std::vector<Route> routes; // first match wins
  RouteTable table;          // finds it
};

class Snapshot {
 public:
  // The config has been checked: every route's origin exists.
  static std::shared_ptr<const Snapshot> compile(std::shared_ptr<const config::Config> config);

  // The site that serves `host` (lower case, no port): exact name, then the longest wildcard, then "*". Null: none.
  const Site* site(std::string_view host) const;
  // The first route whose match covers `path` (normal form, no query). Null: none.
  static const Route* route(const Site& site, std::string_view path);

  const config::Config& config() const noexcept { return *config_; }
  const std::vector<Site>& sites() const noexcept { return sites_; }
  // Whether any route's key is not the URL as sent.
  bool has_key_rules() const noexcept { return has_key_rules_; }
  // Origins in the order of their indices.
  const std::vector<const config::Origin*>& origins() const noexcept { return origins_; }
  const http::Limits& limits() const noexcept { return limits_; }

 private:
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const noexcept { return std::hash<std::string_view>{}(s); }
  };
  std::shared_ptr<const config::Config> config_;
  std::vector<Site> sites_;
  std::unordered_map<std::string, size_t, TextHash, std::equal_to<>> exact_;
  std::unordered_map<std::string, size_t, TextHash, std::equal_to<>> wildcard_; // ".example.org" of "*.example.org"
  std::optional<size_t> any_;
  std::vector<const config::Origin*> origins_;
  http::Limits limits_;
  bool has_key_rules_ = false;
};

} // namespace verge::pipeline
