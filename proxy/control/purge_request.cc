#include "proxy/control/purge_request.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "proxy/control/json_text.h"
#include "proxy/control/purge_id.h"

namespace verge::control {
namespace {

using cache::Target;
using nlohmann::json;

constexpr size_t kMostTargets = 3'000; // CloudFront's limit of paths in progress

std::unexpected<Error> bad(std::string what) { return fail(Errc::bad_input, std::move(what), Side::client); }

Result<std::vector<std::string>> strings(const json& object, const char* name) {
  std::vector<std::string> out;
  const auto it = object.find(name);
  if (it == object.end()) return out;
  if (!it->is_array()) return bad(fmt::format("\"{}\" must be a list of strings", name));
  for (const auto& item : *it) {
    if (!item.is_string()) return bad(fmt::format("\"{}\" must hold strings only", name));
    out.push_back(item.get<std::string>());
  }
  return out;
}

Result<bool> flag(const json& object, const char* name) {
  const auto it = object.find(name);
  if (it == object.end()) return false;
  if (!it->is_boolean()) return bad(fmt::format("\"{}\" must be true or false", name));
  return it->get<bool>();
}

std::string lower_case(std::string s) {
  std::transform(s.begin(), s.end(), s.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return s;
}

// Brings a host to the form that targets have; one that can never match is an error, not a purge of nothing.
Result<> check_host(std::string& host) {
  const auto target = cache::parse_target("https://" + host + "/");
  if (!target || target->host.empty() || target->value != "/") {
    return bad(fmt::format("host \"{}\" is not a host name; write \"www.example.com\"", host.substr(0, 200)));
  }
  host = target->host;
  return {};
}

constexpr std::array<std::pair<std::string_view, Target::Kind>, 4> kKinds = {{{"all", Target::Kind::all},
                                                                              {"url", Target::Kind::exact},
                                                                              {"pattern", Target::Kind::pattern},
                                                                              {"tag", Target::Kind::tag}}};
constexpr size_t kTakenBy = 200; // octets

// A target as another node knows it: in normal form already.
Result<Target> target_of(const json& object) {
  const auto kind =
      std::ranges::find(kKinds, text_at(object, "kind"), &std::pair<std::string_view, Target::Kind>::first);
  if (kind == kKinds.end()) return bad("a target's \"kind\" is all, url, pattern or tag");
  Target out{kind->second, std::string(text_at(object, "host")), std::string(text_at(object, "value"))};
  // Whatever an API here takes must pass; a message that does not is lost to this node.
  const auto visible = [](char c) { return static_cast<unsigned char>(c) >= 0x80 || (c > ' ' && c != 0x7f); };
  const bool upper = std::ranges::any_of(out.host, [](char c) { return c >= 'A' && c <= 'Z'; });
  if (upper || !std::ranges::all_of(out.host, visible)) return bad("a target's \"host\" is none");
  if (!std::ranges::all_of(out.value, visible) || out.value.empty() != (out.kind == Target::Kind::all)) {
    return bad("a target's \"value\" is none");
  }
  return out;
}

Result<std::vector<Target>> targets_of(const json& object) {
  std::vector<Target> out;
  const auto& list = member_of(object, "targets");
  if (list.is_null()) return out;
  if (!list.is_array()) return bad("\"targets\" must be a list of {\"kind\", \"host\", \"value\"}");
  for (const auto& one : list) {
    auto target = target_of(one);
    if (!target) return std::unexpected(std::move(target.error()));
    out.push_back(std::move(*target));
  }
  return out;
}

Result<std::string> id_of(const json& object) {
  const auto& id = member_of(object, "id");
  if (id.is_null()) return std::string();
  if (!id.is_string() || !is_purge_id(id.get_ref<const std::string&>())) {
    return bad("\"id\" must be 1 to 128 letters, digits and -_.:+=@");
  }
  return id.get<std::string>();
}

using Sites = std::vector<std::vector<std::string>>;

// Everything of the site that has `host`: all of each of its hosts ("*.example.org": of all below it).
Result<> add_site(std::vector<Target>& targets, const std::string& host, const Sites& sites) {
  const auto name = lower_case(host);
  for (const auto& hosts : sites) {
    if (std::ranges::find(hosts, name) == hosts.end()) continue;
    for (const auto& one : hosts) targets.push_back({Target::Kind::all, one == "*" ? "" : one, {}});
    return {};
  }
  std::string known;
  for (const auto& hosts : sites) known += (known.empty() ? "" : ", ") + hosts.front();
  return bad(fmt::format("there is no site \"{}\"; there are {}", host.substr(0, 200), known));
}

// `sites` null: a message, which has none of the admin API's own members.
Result<AdminPurge> parse(std::string_view text, const Sites* sites) {
  std::set<std::string> seen;
  bool twice = false;
  const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::key && depth == 1) twice |= !seen.insert(parsed.get<std::string>()).second;
    return true;
  };
  const auto object = json::parse(text, watch, false);
  if (object.is_discarded() || !object.is_object()) {
    return bad(R"(not a JSON object; expected {"paths": ["/index.html", "/img/*"], "tags": ["home"], "soft": false})");
  }
  if (twice) return bad("a member stands twice: the later one would silently replace the earlier");
  for (const auto& [name, value] : object.items()) {
    const bool own = sites != nullptr ? name == "sites" || name == "dry_run" : name == "targets" || name == "taken_by";
    if (name != "paths" && name != "tags" && name != "hosts" && name != "all" && name != "soft" && name != "id" &&
        name != "refetch" && !own) {
      return bad(fmt::format("unknown member \"{}\"; known are paths, tags, hosts, all, soft, refetch, id{}", name,
                             sites != nullptr ? ", sites, dry_run" : ""));
    }
  }
  const auto paths = strings(object, "paths");
  if (!paths) return std::unexpected(paths.error());
  const auto tags = strings(object, "tags");
  if (!tags) return std::unexpected(tags.error());
  auto hosts = strings(object, "hosts");
  if (!hosts) return std::unexpected(hosts.error());
  const auto all = flag(object, "all");
  if (!all) return std::unexpected(all.error());
  const auto soft = flag(object, "soft");
  if (!soft) return std::unexpected(soft.error());
  const auto refetch = flag(object, "refetch");
  if (!refetch) return std::unexpected(refetch.error());
  const auto named_sites = strings(object, "sites");
  if (!named_sites) return std::unexpected(named_sites.error());
  const auto dry_run = flag(object, "dry_run");
  if (!dry_run) return std::unexpected(dry_run.error());
  auto targets = targets_of(object);
  if (!targets) return std::unexpected(std::move(targets.error()));
  auto id = id_of(object);
  if (!id) return std::unexpected(std::move(id.error()));
  for (auto& host : *hosts) {
    if (auto good = check_host(host); !good) return std::unexpected(std::move(good.error()));
  }
  if (hosts->empty()) hosts->emplace_back(); // every host
  if (paths->size() * hosts->size() + tags->size() > kMostTargets) {
    return bad(
        fmt::format("{} paths on {} hosts and {} tags are more than the {} targets of one purge; use a pattern "
                    "or a tag",
                    paths->size(), hosts->size(), tags->size(), kMostTargets));
  }

  AdminPurge made{{}, *dry_run};
  cache::Invalidation& out = made.what;
  out.id = std::move(*id);
  out.source = text_at(object, "taken_by").substr(0, kTakenBy);
  std::ranges::replace_if(out.source, [](char c) { return c < ' ' || c == 0x7f; }, '?'); // a terminal will show it
  out.targets = std::move(*targets);
  out.soft = *soft;
  if (object.contains("refetch")) out.refetch = *refetch;
  for (const auto& path : *paths) {
    auto target = cache::parse_target(path);
    if (!target) return std::unexpected(std::move(target.error()).in(fmt::format("path \"{}\"", path)));
    if (!target->host.empty()) {
      out.targets.push_back(std::move(*target));
      continue;
    }
    for (const auto& host : *hosts) {
      out.targets.push_back(*target);
      out.targets.back().host = host;
    }
  }
  for (const auto& tag : *tags) {
    if (tag.empty()) return bad("an empty tag names nothing");
    if (!std::ranges::all_of(tag, [](char c) { return c > 0x20 && c < 0x7f; })) {
      return bad(fmt::format("tag \"{}\" holds more than visible ASCII, so no response has it", tag));
    }
    out.targets.push_back({Target::Kind::tag, {}, lower_case(tag)});
  }
  if (*all) {
    for (const auto& host : *hosts) out.targets.push_back({Target::Kind::all, host, {}});
  }
  for (const auto& site : *named_sites) {
    if (auto added = add_site(out.targets, site, *sites); !added) return std::unexpected(std::move(added.error()));
  }
  if (out.targets.empty()) return bad("nothing to purge: give paths, tags or all");
  return made;
}

} // namespace

Result<cache::Invalidation> parse_purge(std::string_view text) {
  auto made = parse(text, nullptr);
  if (!made) return std::unexpected(std::move(made.error()));
  return std::move(made->what);
}

std::string purge_message(const cache::Invalidation& purge, std::string_view taken_by) {
  auto targets = json::array();
  for (const auto& target : purge.targets) {
    const auto kind = std::ranges::find(kKinds, target.kind, &std::pair<std::string_view, Target::Kind>::second);
    targets.push_back({{"kind", kind->first}, {"host", target.host}, {"value", target.value}});
  }
  json out = {{"id", purge.id}, {"taken_by", taken_by}, {"soft", purge.soft}, {"targets", std::move(targets)}};
  if (purge.refetch) out["refetch"] = *purge.refetch;
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<AdminPurge> parse_admin_purge(std::string_view text, const std::vector<std::vector<std::string>>& sites) {
  return parse(text, &sites);
}

} // namespace verge::control
