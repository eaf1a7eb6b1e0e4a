// Fastly's purge API:
//   POST /purge/<host/path>                    one URL
//   POST /service/<id>/purge/<key>             one surrogate key
//   POST /service/<id>/purge                   several: "Surrogate-Key: a b", or {"surrogate_keys": ["a", "b"]}
//   POST /service/<id>/purge_all
// "Fastly-Soft-Purge: 1" marks stale, with purge_all too.
#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "origin/aws/encoding.h"
#include "proxy/control/tools/tool_api.h"

namespace verge::control {
namespace {

using nlohmann::json;

constexpr std::string_view kService = "/service/", kPurge = "/purge/";

std::unexpected<Error> bad(std::string what) { return fail(Errc::bad_input, std::move(what), Side::client); }

std::string text_of(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n"; }

bool wants(const http::RequestHead& head) { return head.path.starts_with(kService) || head.path.starts_with(kPurge); }

Result<> add_keys(ToolPurge& out, const http::RequestHead& head, std::string_view body) {
  if (head.headers.has("surrogate-key")) {
    if (auto added = add_tags(out.what.targets, head.headers.joined("surrogate-key"), " ,"); !added) return added;
  } else {
    const auto object = json::parse(body, nullptr, false);
    const auto keys = object.is_object() ? object.find("surrogate_keys") : object.end();
    if (keys == object.end() || !keys->is_array()) {
      return bad(R"(name the keys: "Surrogate-Key: a b", or {"surrogate_keys": ["a", "b"]})");
    }
    for (const auto& key : *keys) {
      auto target = tag_target(key.is_string() ? key.get<std::string>() : std::string());
      if (!target) return std::unexpected(std::move(target.error()));
      out.what.targets.push_back(std::move(*target));
    }
  }
  for (const auto& target : out.what.targets) out.keys.push_back(target.value);
  if (out.keys.empty()) return bad("no surrogate key is named");
  return {};
}

Result<ToolPurge> parse(const http::RequestHead& head, std::string_view body) {
  if (!head.is("POST")) return bad("purges are posted: POST " + head.path.substr(0, 200));
  ToolPurge out;
  const auto soft = head.headers.joined("fastly-soft-purge");
  out.what.soft = !soft.empty() && soft != "0";
  std::string_view path = head.path;
  if (path.starts_with(kPurge)) {
    auto target = cache::parse_target(head.target().substr(kPurge.size()));
    if (!target) return std::unexpected(std::move(target.error()));
    if (target->host.empty()) return bad("name host and path: /purge/www.example.com/index.html");
    out.what.targets.push_back(std::move(*target));
    return out;
  }
  path.remove_prefix(kService.size());
  const size_t slash = std::min(path.find('/'), path.size());
  out.scope = origin::aws::percent_decode(path.substr(0, slash));
  path.remove_prefix(slash);
  if (out.scope.empty()) return bad("the service's id is missing: /service/ID/purge");
  if (path == "/purge_all") {
    out.what.targets.push_back({cache::Target::Kind::all, {}, {}});
    return out;
  }
  if (path == "/purge") {
    if (auto added = add_keys(out, head, body); !added) return std::unexpected(std::move(added.error()));
    return out;
  }
  if (path.starts_with(kPurge)) {
    auto target = tag_target(origin::aws::percent_decode(path.substr(kPurge.size())));
    if (!target) return std::unexpected(std::move(target.error()));
    out.what.targets.push_back(std::move(*target));
    return out;
  }
  return bad("there are /service/ID/purge, /service/ID/purge/KEY, /service/ID/purge_all and /purge/HOST/PATH");
}

Reply done(const ToolPurge& purge, std::string_view id) {
  if (purge.keys.empty()) return {200, "application/json", text_of({{"status", "ok"}, {"id", id}})};
  json out = json::object();
  for (const auto& key : purge.keys) out[key] = id;
  return {200, "application/json", text_of(out)};
}

Reply problem(int status, std::string_view what) {
  const auto* msg = status == 401   ? "Provided credentials are missing or invalid"
                    : status == 403 ? "You are not authorized to perform this action"
                    : status == 404 ? "Record not found"
                    : status == 503 ? "Service unavailable"
                                    : "Bad request";
  return {status, "application/json", text_of({{"msg", msg}, {"detail", what}})};
}

} // namespace

const ToolApi kFastlyApi{Door::fastly, wants, parse, done, problem};

} // namespace verge::control
