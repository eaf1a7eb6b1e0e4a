#include "proxy/control/fleet/node_answer.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "proxy/control/json_text.h"
#include "proxy/control/purge_id.h"

namespace verge::control {
namespace {

using nlohmann::json;

constexpr size_t kLongestName = 64;

std::unexpected<Error> bad(std::string what) { return fail(Errc::bad_input, std::move(what), Side::client); }

std::string joined(const std::vector<std::string>& ids) {
  std::string out;
  for (const auto& id : ids) out += (out.empty() ? "" : ",") + id;
  return out;
}

Result<> take_ids(std::string_view list, std::vector<std::string>& out) {
  while (!list.empty()) {
    const auto id = list.substr(0, list.find(','));
    list.remove_prefix(std::min(id.size() + 1, list.size()));
    if (!is_purge_id(id)) return bad(fmt::format("\"{}\" is not a purge's id", id.substr(0, 200)));
    if (out.size() == kMostAsked) return bad(fmt::format("more than {} ids in one question", kMostAsked));
    out.emplace_back(id);
  }
  return {};
}

// A name to be printed and logged: nothing that moves a cursor.
bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

std::optional<uint64_t> number(const json& object, const char* name) {
  const auto& value = member_of(object, name);
  if (!value.is_number_unsigned()) return std::nullopt;
  return value.get<uint64_t>();
}

} // namespace

std::string to_query(const PurgeQuestion& question) {
  std::string out = fmt::format("id={}", joined(question.ids));
  if (!question.counts.empty()) out += fmt::format("&count={}", joined(question.counts));
  if (question.wait > Millis(0)) out += fmt::format("&wait={}", static_cast<double>(question.wait.count()) / 1'000);
  return out;
}

Result<PurgeQuestion> parse_question(std::string_view query, Millis limit) {
  PurgeQuestion out;
  while (!query.empty()) {
    const auto part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    const auto name = part.substr(0, part.find('='));
    const auto value = part.substr(std::min(name.size() + 1, part.size()));
    if (name == "id" || name == "count") {
      if (auto taken = take_ids(value, name == "id" ? out.ids : out.counts); !taken)
        return std::unexpected(taken.error());
    } else if (name == "wait") {
      double seconds = 0;
      const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), seconds);
      if (code != std::errc() || end != value.data() + value.size() || !(seconds >= 0)) {
        return bad(fmt::format("wait=\"{}\" must be seconds, as 5 or 0.5", value.substr(0, 200)));
      }
      out.wait = seconds * 1'000 < static_cast<double>(limit.count()) ? Millis(std::llround(seconds * 1'000)) : limit;
    } else {
      return bad(fmt::format("unknown parameter \"{}\"; there are id, count and wait", name.substr(0, 200)));
    }
  }
  return out;
}

json purge_json(const PurgeRow& row, std::optional<uint64_t> entries) {
  json out = {{"id", row.id},
              {"content", row.content},
              {"seq", row.seq},
              {"applied_at", row.time.time_since_epoch().count()},
              {"applied_ms", static_cast<double>(row.took_us) / 1'000}};
  if (entries) out["entries"] = *entries;
  return out;
}

Result<NodeAnswer> parse_node_answer(std::string_view text) {
  const auto object = json::parse(text, nullptr, false);
  NodeAnswer out{std::string(text_at(object, "node")), std::string(text_at(object, "instance")), {}};
  const auto& purges = member_of(object, "purges");
  if (!is_name(out.node) || !is_name(out.instance) || !purges.is_array()) return bad("it is not a node of a fleet");
  if (purges.size() > 2 * kMostAsked) return bad("it tells of more purges than it was asked about");
  for (const auto& one : purges) {
    const auto seq = number(one, "seq"), at = number(one, "applied_at");
    const auto id = text_at(one, "id");
    if (!seq || !at || !is_purge_id(id)) return bad("it tells of a purge without id, seq or applied_at");
    out.purges.emplace_back(id, AppliedPurge{std::string(text_at(one, "content")), *seq,
                                             WallTime(Millis(static_cast<int64_t>(*at))), 0, number(one, "entries")});
  }
  return out;
}

} // namespace verge::control
