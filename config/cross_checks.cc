#include "config/cross_checks.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <thread>

#include "config/checks.h"
#include "config/key_checks.h"
#include "config/nearest.h"
#include "config/units.h"

namespace verge::config {
namespace {

std::string at_line(const Place& place) { return fmt::format("line {}, column {}", place.line, place.column); }

// Says so if `value` was seen before; `path` is where it stands.
void check_repeated(Reader& reader, std::map<std::string, std::string>& seen, const std::string& value,
                    const std::string& path, std::string_view what) {
  const auto [first, fresh] = seen.emplace(value, path);
  if (fresh) return;
  reader.fault(path, fmt::format("{} \"{}\" is given twice; the first stands at {}", what, value,
                                 at_line(reader.place_of(first->second))));
}

void check_listen_and_admin(Reader& reader, const Config& config) {
  std::map<std::string, std::string> addresses;
  const auto check = [&](const std::string& address, const std::string& path) {
    // Port 0 takes a free one each time.
    if (!address.empty() && !address.ends_with(":0") && !reader.faulty(path)) {
      check_repeated(reader, addresses, address, path, "address");
    }
  };
  for (size_t i = 0; i < config.listen.size(); ++i) {
    const auto& listen = config.listen[i];
    check(listen.address, fmt::format("listen[{}].address", i));
    if (listen.tls && listen.tls->client_auth.mode != ClientAuthMode::off && listen.tls->client_auth.ca.empty() &&
        !reader.faulty(fmt::format("listen[{}].tls.client_auth.ca", i))) {
      reader.fault(fmt::format("listen[{}].tls.client_auth.mode", i),
                   "client certificates can't be checked without \"ca\", the PEM file of who signs them");
    }
  }
  const Admin& admin = config.admin;
  const Invalidation& purges = config.invalidation;
  check(admin.address, "admin.address");
  if (!admin.address.empty() && !is_loopback(admin.address) && admin.token.empty() && !reader.faulty("admin.token")) {
    reader.fault("admin.address", fmt::format("\"{}\" can be reached from other machines; use 127.0.0.1, [::1] or "
                                              "unix:/path, or set a token",
                                              admin.address));
  }
  check(purges.listen, "invalidation.listen");
  if (!purges.listen.empty() && !is_loopback(purges.listen) && admin.token.empty() && purges.tokens.empty() &&
      !reader.faulty("invalidation.tokens")) {
    reader.fault("invalidation.listen",
                 fmt::format("\"{}\" can be reached from other machines; use 127.0.0.1, [::1] or unix:/path, or say in "
                             "\"tokens\" who may purge",
                             purges.listen));
  }
  if (purges.cloudfront && purges.listen.empty() && admin.address.empty()) {
    reader.fault("invalidation.cloudfront", "no address serves it; set admin.address or invalidation.listen");
  }
}

// Exactly one of a secret's text and its file.
void check_secret(Reader& reader, const std::string& path, std::string_view name, const std::string& text,
                  const std::string& file) {
  const auto file_name = fmt::format("{}_file", name);
  if (reader.faulty(fmt::format("{}.{}", path, name)) || reader.faulty(fmt::format("{}.{}", path, file_name))) return;
  if (text.empty() && file.empty()) reader.fault(path, fmt::format("give \"{}\" or \"{}\"", name, file_name));
  if (!text.empty() && !file.empty()) {
    reader.fault(fmt::format("{}.{}", path, file_name), fmt::format("give either \"{}\" or \"{}\"", name, file_name));
  }
}

void check_purge_callers(Reader& reader, const Invalidation& purges) {
  std::map<std::string, std::string> names, ids;
  for (size_t i = 0; i < purges.tokens.size(); ++i) {
    const auto& token = purges.tokens[i];
    const auto path = fmt::format("invalidation.tokens[{}]", i);
    check_secret(reader, path, "token", token.token, token.token_file);
    if (!token.name.empty()) check_repeated(reader, names, token.name, path + ".name", "name");
  }
  if (!purges.cloudfront) return;
  for (size_t i = 0; i < purges.cloudfront->keys.size(); ++i) {
    const auto& key = purges.cloudfront->keys[i];
    const auto path = fmt::format("invalidation.cloudfront.keys[{}]", i);
    check_secret(reader, path, "secret", key.secret, key.secret_file);
    if (!key.id.empty()) check_repeated(reader, ids, key.id, path + ".id", "key id");
  }
}

void check_credentials(Reader& reader, const std::string& path, const Credentials& given) {
  const auto check_pair = [&](const std::string& one, std::string_view name, const std::string& other,
                              std::string_view other_name) {
    if (!one.empty() && other.empty() && !reader.faulty(fmt::format("{}.{}", path, other_name))) {
      reader.fault(fmt::format("{}.{}", path, name), fmt::format("\"{}\" needs \"{}\" beside it", name, other_name));
    }
  };
  check_pair(given.access_key_id, "access_key_id", given.secret_access_key, "secret_access_key");
  check_pair(given.secret_access_key, "secret_access_key", given.access_key_id, "access_key_id");
  check_pair(given.session_token, "session_token", given.access_key_id, "access_key_id");
  if (!given.profile.empty() && !given.access_key_id.empty()) {
    reader.fault(path + ".profile", "give either a profile or the keys themselves");
  }
}

void check_origin(Reader& reader, const Origin& origin) {
  const std::string path = "origins." + origin.name;
  if (reader.faulty(path + ".type")) return;
  check_credentials(reader, path + ".credentials", origin.credentials);
  const bool needs_region = (origin.type == OriginType::s3 && !(origin.anonymous && !origin.endpoint.empty())) ||
                            origin.type == OriginType::lambda ||
                            (origin.type == OriginType::api_gateway && origin.sign);
  if (needs_region && origin.region.empty() && !reader.faulty(path + ".region")) {
    reader.fault(path + ".region", "\"region\" is missing, and AWS_REGION and AWS_DEFAULT_REGION are not set either");
  }
  // A stand-in for S3 may name its region as it likes; AWS does not.
  if (origin.endpoint.empty() && !origin.region.empty() && !is_aws_region(origin.region)) {
    reader.fault(path + ".region",
                 fmt::format("\"{}\" does not look like an AWS region, as eu-west-1 does", origin.region));
  }
  constexpr uint64_t kLambdaPayload = 6ull << 20;
  if (origin.type == OriginType::lambda && origin.max_request_body > kLambdaPayload) {
    reader.fault(path + ".max_request_body", "Lambda takes 6MiB at most");
  }
}

void check_ttl(Reader& reader, const std::string& path, const Ttl& ttl) {
  if (reader.faulty(path + ".min") || reader.faulty(path + ".max")) return;
  if (ttl.min > ttl.max) {
    reader.fault(path + ".min",
                 fmt::format("min {} is more than max {}", format_duration(ttl.min), format_duration(ttl.max)));
  } else if (ttl.default_ && (*ttl.default_ < ttl.min || *ttl.default_ > ttl.max)) {
    reader.fault(path + ".default",
                 fmt::format("default {} is not between min {} and max {}", format_duration(*ttl.default_),
                             format_duration(ttl.min), format_duration(ttl.max)));
  }
}

void check_sites(Reader& reader, const Config& config) {
  std::vector<std::string_view> names;
  names.reserve(config.origins.size());
  for (const auto& [name, origin] : config.origins) names.push_back(name);
  std::map<std::string, std::string> hosts;
  for (size_t s = 0; s < config.sites.size(); ++s) {
    const Site& site = config.sites[s];
    for (size_t h = 0; h < site.hosts.size(); ++h) {
      const std::string path = fmt::format("sites[{}].hosts[{}]", s, h);
      if (!reader.faulty(path)) check_repeated(reader, hosts, site.hosts[h], path, "host");
    }
    std::map<std::string, std::string> matches;
    for (size_t r = 0; r < site.routes.size(); ++r) {
      const Route& route = site.routes[r];
      const std::string path = fmt::format("sites[{}].routes[{}]", s, r);
      if (!route.match.empty()) check_repeated(reader, matches, route.match, path + ".match", "match");
      if (!route.origin.empty() && !config.origins.contains(route.origin)) {
        reader.fault(path + ".origin",
                     fmt::format("there is no origin \"{}\"{}", route.origin, meant(route.origin, names)));
      }
      check_ttl(reader, path + ".cache.ttl", route.cache.ttl);
      check_key(reader, path, site, route);
    }
  }
}

void check_rules(Reader& reader, const std::vector<EventRule>& rules) {
  for (size_t i = 0; i < rules.size(); ++i) {
    const RulePurge& purge = rules[i].purge;
    const std::string path = fmt::format("invalidation.rules[{}].purge", i);
    if (reader.places().contains(path) && purge.paths.empty() && purge.tags.empty() && !purge.all) {
      reader.fault(path, "nothing to purge: give paths, tags or all");
    }
  }
}

void check_push(Reader& reader, const Config& config) {
  if (!config.invalidation.push) return;
  const Push& push = *config.invalidation.push;
  const std::string path = "invalidation.push";
  if (push.user.empty() != push.password.empty() && !reader.faulty(path + ".user") &&
      !reader.faulty(path + ".password")) {
    reader.fault(path + (push.user.empty() ? ".password" : ".user"), "\"user\" and \"password\" go together");
  }
  if (push.user.find(':') != push.user.npos) reader.fault(path + ".user", "may not hold a colon");
  constexpr size_t kSecret = 24;
  const bool guessable = push.path.size() - push.path.rfind('/') - 1 < kSecret;
  if (push.user.empty() && push.password.empty() && push.key.empty() && guessable) {
    reader.fault(path + ".path",
                 "give user and password, or a key, or a path whose last part nobody can guess: 24 characters or more");
  }
  if (config.invalidation.sns && config.invalidation.sns->path == push.path) {
    reader.fault(path + ".path", "is invalidation.sns.path as well; unsigned events need a path of their own");
  }
}

void check_queues(Reader& reader, const std::vector<SqsQueue>& queues) {
  std::map<std::string, std::string> seen;
  for (size_t i = 0; i < queues.size(); ++i) {
    const SqsQueue& queue = queues[i];
    const std::string path = fmt::format("invalidation.sqs[{}]", i);
    if (queue.queue.empty()) continue;
    check_repeated(reader, seen, queue.queue, path + ".queue", "queue");
    check_credentials(reader, path + ".credentials", queue.credentials);
    if (queue.queue.ends_with(".fifo")) {
      reader.fault(path + ".queue", "is a FIFO queue; notifications need a standard one");
    }
    if (queue.region.empty() && !reader.faulty(path + ".region")) {
      reader.fault(path + ".region",
                   "\"region\" is missing, the URL does not tell it, and AWS_REGION and "
                   "AWS_DEFAULT_REGION are not set either");
    }
  }
}

void check_fleet(Reader& reader, const Config& config) {
  const Fleet& fleet = config.fleet;
  const std::string path = "fleet";
  const bool has_nodes = !fleet.nodes.empty() || !fleet.dns.empty();
  if (has_nodes && config.admin.address.empty() && config.invalidation.listen.empty()) {
    reader.fault(path, "no address answers the other nodes; set admin.address or invalidation.listen");
  }
  check_credentials(reader, path + ".credentials", fleet.credentials);
  if (!fleet.token.empty() && !fleet.token_file.empty()) {
    reader.fault(path + ".token_file", "give either \"token\" or \"token_file\"");
  }
  if (!fleet.nodes.empty() && !fleet.dns.empty()) {
    reader.fault(path + ".dns", "give either \"nodes\" or \"dns\"");
  }
  std::map<std::string, std::string> seen;
  const bool has_token = !fleet.token.empty() || !fleet.token_file.empty();
  const auto check_reach = [&](const std::string& node, const std::string& at) {
    if (node.empty() || has_token || is_loopback_node(node) || reader.faulty(path + ".token")) return;
    reader.fault(at, "nodes on other machines ask for a token; set fleet.token, the same on all nodes");
  };
  check_reach(fleet.dns, path + ".dns");
  for (size_t i = 0; i < fleet.nodes.size(); ++i) {
    const auto at = fmt::format("{}.nodes[{}]", path, i);
    if (reader.faulty(at)) continue;
    check_repeated(reader, seen, fleet.nodes[i], at, "node");
    check_reach(fleet.nodes[i], at);
  }
}

void check_limits(Reader& reader, const Config& config) {
  if (config.limits.request_target > config.limits.request_head && !reader.faulty("limits.request_head")) {
    reader.fault("limits.request_target", "request_target is more than request_head, which holds it");
  }
  if (config.cache.memory_object > config.cache.memory && !reader.faulty("cache.memory")) {
    reader.fault("cache.memory_object", "memory_object is more than memory, which holds it");
  }
}

void fill_region(std::string& region) {
  for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (const char* value = std::getenv(name); region.empty() && value != nullptr) region = value;
  }
}

void fill_origin(Origin& origin) {
  if (origin.type == OriginType::lambda && origin.max_request_body == 0) origin.max_request_body = 6ull << 20;
  if (origin.type == OriginType::http || origin.type == OriginType::folder || !origin.region.empty()) return;
  origin.region = origin.type == OriginType::lambda ? region_of_arn(origin.function) : region_of_url(origin.url);
  fill_region(origin.region);
}

// What check_name likes, of what the machine calls itself.
std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  std::string out = name.data();
  out.resize(std::min<size_t>(out.size(), 64));
  for (char& c : out) c = check_name(std::string_view(&c, 1)).empty() ? c : '-';
  return out.empty() ? "localhost" : out;
}

void lower_case(std::string& text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

} // namespace

void cross_check(Reader& reader, const Config& config) {
  check_listen_and_admin(reader, config);
  check_purge_callers(reader, config.invalidation);
  for (const auto& [name, origin] : config.origins) check_origin(reader, origin);
  check_sites(reader, config);
  check_push(reader, config);
  check_queues(reader, config.invalidation.sqs);
  check_rules(reader, config.invalidation.rules);
  check_fleet(reader, config);
  check_limits(reader, config);
}

void fill_defaults(const Reader& reader, Config& config) {
  if (config.workers == 0) config.workers = std::max(1u, std::thread::hardware_concurrency());
  if (config.cache.path == Cache{}.path) config.cache.path = reader.from_base(config.cache.path);
  if (config.access_log.path == "off") config.access_log.path.clear();
  for (auto& [name, origin] : config.origins) fill_origin(origin);
  if (config.fleet.name.empty()) config.fleet.name = host_name();
  for (auto& queue : config.invalidation.sqs) {
    if (queue.region.empty()) queue.region = region_of_queue(queue.queue);
    fill_region(queue.region);
  }
  for (auto& site : config.sites) {
    for (auto& host : site.hosts) lower_case(host);
  }
}

} // namespace verge::config
