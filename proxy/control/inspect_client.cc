#include "proxy/control/inspect_client.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "proxy/http/grammar.h"

namespace verge::control {
namespace {

using nlohmann::json;

constexpr uint64_t kPage = 1'000;

// A key's parts beyond the URL stand behind line feeds; on a terminal each row is one line.
std::string shown_key(std::string key) {
  for (size_t at = key.find('\n'); at != std::string::npos; at = key.find('\n', at)) key.replace(at, 1, "\\n");
  return key;
}
std::string real_key(std::string key) {
  for (size_t at = key.find("\\n"); at != std::string::npos; at = key.find("\\n", at)) key.replace(at, 2, "\n");
  return key;
}

// Of an answer of another program, or another version, nothing is taken for granted.
std::string text(const json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}
int64_t number(const json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_number_integer() ? it->get<int64_t>() : 0;
}
std::vector<std::string> texts(const json& object, const char* name) {
  std::vector<std::string> out;
  const auto it = object.find(name);
  if (it == object.end() || !it->is_array()) return out;
  for (const auto& item : *it) {
    if (item.is_string()) out.push_back(item.get<std::string>());
  }
  return out;
}
const json& list(const json& object, const char* name) {
  static const json empty = json::array();
  const auto it = object.find(name);
  return it != object.end() && it->is_array() ? *it : empty;
}

json pairs(const Fields& fields) {
  auto out = json::array();
  for (const auto& [name, value] : fields) out.push_back({name, value});
  return out;
}

std::string dump(const json& value) { return value.dump(2, ' ', false, json::error_handler_t::replace) + "\n"; }

constexpr std::string_view kColumns = "      SIZE       AGE       TTL      HITS  STATUS  STATE             KEY\n";

std::string line(const json& row) {
  const auto tags = texts(row, "tags");
  return fmt::format("{:>10}{:>10}{:>10}{:>10}{:>8}  {:<16}  {}{}\n", number(row, "size"), number(row, "age"),
                     number(row, "ttl"), number(row, "hits"), number(row, "status"), text(row, "state"),
                     shown_key(text(row, "key")), tags.empty() ? "" : fmt::format("  [{}]", fmt::join(tags, " ")));
}

std::string entry_text(const json& row) {
  const json none = json::object();
  const auto part = [&](const char* name) -> const json& {
    const auto it = row.find(name);
    return it != row.end() && it->is_object() ? *it : none;
  };
  const auto& fresh = part("freshness");
  std::string out = shown_key(text(row, "key")) + "\n";
  const auto say = [&out](std::string_view name, const std::string& value) {
    if (!value.empty()) out += fmt::format("  {:<14} {}\n", name, value);
  };
  say("state", fmt::format("{}, age {} s, ttl {} s", text(row, "state"), number(row, "age"), number(row, "ttl")));
  say("status", std::to_string(number(row, "status")));
  say("size", fmt::format("{} octets, in {}", number(row, "size"), fmt::join(texts(row, "tiers"), " and ")));
  say("hits", std::to_string(number(row, "hits")));
  say("received", fmt::format("{} at sequence {}", text(row, "received"), number(row, "sequence")));
  say("lifetime", fmt::format("{} s from {}", number(fresh, "lifetime"), text(fresh, "from")));
  if (const auto& by = part("invalidated_by"); !by.empty()) {
    say("invalidated", fmt::format("by sequence {}: {} {}{}", number(by, "sequence"), text(by, "kind"),
                                   text(by, "host"), text(by, "value")));
  }
  const auto& vary = part("vary");
  if (const auto fields = texts(vary, "fields"); !fields.empty()) {
    std::string values = text(vary, "selected_by");
    std::replace(values.begin(), values.end(), '\n', '|');
    say("vary", fmt::format("{}, selected by {}", fmt::join(fields, ", "), values));
  }
  say("tags", fmt::format("{}", fmt::join(texts(row, "tags"), " ")));
  for (const auto& field : list(row, "headers")) {
    if (field.is_array() && field.size() == 2 && field[0].is_string() && field[1].is_string()) {
      out += fmt::format("  > {}: {}\n", field[0].get<std::string>(), field[1].get<std::string>());
    }
  }
  return out;
}

} // namespace

Result<std::pair<std::string, std::string>> parse_field(std::string_view given) {
  const size_t colon = given.find(':');
  const auto name = given.substr(0, colon);
  if (colon == std::string_view::npos || !http::is_token(name)) {
    return fail(Errc::bad_input, fmt::format("\"{}\" is not a header field; write -H 'Accept: text/html'", given));
  }
  return std::pair(std::string(name), std::string(http::trim(given.substr(colon + 1))));
}

Result<std::string> run_why(const InspectRequest& request) {
  json body = {{"url", request.url}, {"headers", pairs(request.headers)}};
  if (!request.method.empty()) body["method"] = request.method;
  const auto reply = ask_admin(request.node, "/why", body);
  if (!reply) return std::unexpected(reply.error());
  if (request.json) return dump(*reply);
  if (text(*reply, "outcome").empty()) return fail(Errc::refused, not_admin(request.node.address, 200));
  std::string out =
      fmt::format("{} {}: {}\n", request.method.empty() ? "GET" : request.method, request.url, text(*reply, "outcome"));
  for (const auto& step : list(*reply, "steps")) {
    if (!step.is_object()) continue;
    out += fmt::format("  {:<8} {}\n", text(step, "room"), shown_key(text(step, "text")));
    const auto rfc = text(step, "rfc"), config = text(step, "config");
    if (!rfc.empty() || !config.empty()) {
      out += fmt::format("  {:<8}   ({}{}{})\n", "", rfc, !rfc.empty() && !config.empty() ? "; " : "", config);
    }
  }
  return out;
}

Result<> run_ls(const InspectRequest& request, const std::function<bool(std::string_view)>& print) {
  uint64_t after = 0, left = request.limit == 0 ? UINT64_MAX : request.limit;
  bool first = true;
  while (left > 0) {
    json body = {{"after", after}, {"limit", std::min(left, kPage)}};
    if (!request.pattern.empty()) body["pattern"] = request.pattern;
    if (!request.tag.empty()) body["tag"] = request.tag;
    const auto reply = ask_admin(request.node, "/entries", body);
    if (!reply) return std::unexpected(reply.error());
    if (!reply->contains("entries")) return fail(Errc::refused, not_admin(request.node.address, 200));
    std::string out;
    if (std::exchange(first, false) && !request.json) out = kColumns;
    for (const auto& row : list(*reply, "entries")) {
      // One object a line: what jq and grep like.
      out += request.json ? row.dump(-1, ' ', false, json::error_handler_t::replace) + "\n" : line(row);
      --left;
    }
    if (!print(out)) return {};
    after = static_cast<uint64_t>(number(*reply, "next"));
    if (after == 0) break;
  }
  return {};
}

Result<std::string> run_get(const InspectRequest& request) {
  const auto reply = ask_admin(request.node, "/entry", {{"key", real_key(request.key)}});
  if (!reply) return std::unexpected(reply.error());
  const auto& entries = list(*reply, "entries");
  if (entries.empty()) {
    return fail(Errc::not_found,
                fmt::format("nothing is stored under {}; `verge ls` lists the keys, `verge why` says why",
                            shown_key(request.key)));
  }
  if (request.json) return dump(*reply);
  std::string out;
  for (const auto& row : entries) {
    if (row.is_object()) out += entry_text(row);
  }
  return out;
}

} // namespace verge::control
