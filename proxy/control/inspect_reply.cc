#include "proxy/control/inspect_reply.h"

#include <fmt/chrono.h>

#include <nlohmann/json.hpp>

namespace verge::control {
namespace {

using nlohmann::json;

std::string_view state_of(cache::Verdict verdict, Millis left) {
  if (verdict == cache::Verdict::dead) return "invalidated";
  if (verdict == cache::Verdict::stale) return "soft-invalidated";
  if (verdict == cache::Verdict::guarded) return "guarded";
  return left > Millis{0} ? "fresh" : "stale";
}

std::string_view word(policy::LifetimeSource source) {
  switch (source) {
    case policy::LifetimeSource::none: return "none";
    case policy::LifetimeSource::s_maxage: return "s-maxage";
    case policy::LifetimeSource::max_age: return "max-age";
    case policy::LifetimeSource::expires: return "expires";
    case policy::LifetimeSource::heuristic: return "heuristic";
    case policy::LifetimeSource::negative: return "negative";
    case policy::LifetimeSource::route: return "route";
  }
  return "?";
}

std::string_view word(cache::Target::Kind kind) {
  switch (kind) {
    case cache::Target::Kind::all: return "all";
    case cache::Target::Kind::exact: return "url";
    case cache::Target::Kind::pattern: return "pattern";
    case cache::Target::Kind::tag: return "tag";
  }
  return "?";
}

std::string time_text(WallTime t) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z", fmt::gmtime(std::chrono::floor<Seconds>(t)));
}

int64_t seconds(Millis m) { return std::chrono::floor<Seconds>(m).count(); }

} // namespace

json row_json(const cache::Listed& row) {
  const auto& head = *row.head;
  const auto left = head.freshness.lifetime - row.age;
  auto tiers = json::array();
  if (row.in_ram) tiers.push_back("ram");
  if (row.body_id != 0) tiers.push_back("disk");
  return {{"key", head.key},         {"status", head.status},     {"size", row.length},
          {"age", seconds(row.age)}, {"ttl", seconds(left)},      {"hits", row.hits},
          {"tags", head.tags},       {"tiers", std::move(tiers)}, {"state", state_of(row.verdict, left)}};
}

json entry_json(const cache::Listed& row) {
  const auto& head = *row.head;
  const auto& f = head.freshness;
  json out = row_json(row);
  auto fields = json::array();
  for (const http::Field field : head.headers) fields.push_back({field.name, field.value});
  out["headers"] = std::move(fields);
  out["vary"] = {{"fields", head.vary_fields}, {"selected_by", head.vary_values}};
  out["requested"] = time_text(head.request_time);
  out["received"] = time_text(head.response_time);
  out["sequence"] = head.seq;
  out["freshness"] = {{"lifetime", seconds(f.lifetime)},
                      {"from", word(f.source)},
                      {"initial_age", seconds(f.initial_age)},
                      {"always_validate", f.always_validate},
                      {"never_stale", f.never_stale},
                      {"stale_while_revalidate", f.stale_while_revalidate.count()},
                      {"stale_if_error", f.stale_if_error.count()}};
  if (row.blame) {
    const bool dead = row.verdict == cache::Verdict::dead;
    out["invalidated_by"] = {{"sequence", dead ? row.blame->hard : row.blame->soft},
                             {"kind", word(row.blame->target.kind)},
                             {"host", row.blame->target.host},
                             {"value", row.blame->target.value},
                             {"soft", !dead}};
  }
  return out;
}

} // namespace verge::control
