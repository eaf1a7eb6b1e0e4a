// Cloudflare's purge API: POST /client/v4/zones/<id>/purge_cache with a JSON object of one or more of
//   "files": ["https://www.example.com/a", {"url": "https://www.example.com/b", "headers": {...}}]  all variants go
//   "prefixes": ["www.example.com/blog"], "tags": ["a"], "hosts": ["www.example.com"], "purge_everything": true
#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "origin/aws/encoding.h"
#include "proxy/control/tools/tool_api.h"

namespace verge::control {
namespace {

using cache::Target;
using nlohmann::json;

constexpr std::string_view kZones = "/client/v4/zones/", kPurge = "/purge_cache";

std::unexpected<Error> bad(std::string what) { return fail(Errc::bad_input, std::move(what), Side::client); }

std::string text_of(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n"; }

bool wants(const http::RequestHead& head) {
  return head.path.size() > kZones.size() + kPurge.size() && head.path.starts_with(kZones) &&
         head.path.ends_with(kPurge);
}

Result<Target> with_host(std::string_view text, std::string_view member) {
  auto target = cache::parse_target(text);
  if (!target) return std::unexpected(std::move(target.error()).in(member));
  if (target->host.empty()) {
    return bad(fmt::format("{}: \"{}\" names no host", member, text.substr(0, 200)));
  }
  return target;
}

Result<Target> target_of(std::string_view member, const json& item) {
  if (member == "files" && item.is_object() && item.contains("url") && item["url"].is_string()) {
    return with_host(item["url"].get_ref<const std::string&>(), member);
  }
  if (!item.is_string()) return bad(fmt::format("\"{}\" must hold strings", member));
  const auto& text = item.get_ref<const std::string&>();
  if (member == "tags") return tag_target(text);
  if (member == "files") return with_host(text, member);
  if (member == "prefixes") {
    if (text.find('?') != std::string::npos) return bad("prefixes: a prefix has no query");
    return with_host(text + (text.find('/') == std::string::npos ? "/*" : "*"), member);
  }
  auto host = with_host("https://" + text + "/*", member);
  if (host && host->kind != Target::Kind::all) return bad(fmt::format("hosts: \"{}\" is not a host", text));
  return host;
}

Result<ToolPurge> parse(const http::RequestHead& head, std::string_view body) {
  if (!head.is("POST") && !head.is("DELETE")) return bad("purges are posted");
  ToolPurge out;
  out.scope = origin::aws::percent_decode(
      std::string_view(head.path).substr(kZones.size(), head.path.size() - kZones.size() - kPurge.size()));
  const auto object = json::parse(body, nullptr, false);
  if (!object.is_object() || object.empty()) {
    return bad(R"(not a JSON object; expected {"files": [...]}, prefixes, tags, hosts or {"purge_everything": true})");
  }
  for (const auto& [member, value] : object.items()) {
    if (member == "purge_everything") {
      if (!value.is_boolean()) return bad("\"purge_everything\" must be true");
      if (value.get<bool>()) out.what.targets.push_back({Target::Kind::all, {}, {}});
      continue;
    }
    if (member != "files" && member != "prefixes" && member != "tags" && member != "hosts") {
      return bad(fmt::format("unknown member \"{}\"; known are files, prefixes, tags, hosts, purge_everything",
                             member.substr(0, 100)));
    }
    if (!value.is_array()) return bad(fmt::format("\"{}\" must be a list", member));
    for (const auto& item : value) {
      auto target = target_of(member, item);
      if (!target) return std::unexpected(std::move(target.error()));
      out.what.targets.push_back(std::move(*target));
    }
  }
  if (out.what.targets.empty()) return bad("nothing is named");
  return out;
}

Reply done(const ToolPurge&, std::string_view id) {
  return {
      200, "application/json",
      text_of({{"success", true}, {"errors", json::array()}, {"messages", json::array()}, {"result", {{"id", id}}}})};
}

Reply problem(int status, std::string_view what) {
  // Cloudflare's own numbers where it has one for the case.
  const int code = status == 401 || status == 403 ? 10000 : status == 404 ? 7003 : status == 400 ? 1012 : 1000;
  return {status, "application/json",
          text_of({{"success", false},
                   {"errors", json::array({{{"code", code}, {"message", what}}})},
                   {"messages", json::array()},
                   {"result", nullptr}})};
}

} // namespace

const ToolApi kCloudflareApi{Door::cloudflare, wants, parse, done, problem};

} // namespace verge::control
