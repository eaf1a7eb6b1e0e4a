#include "proxy/control/fleet/fleet_report.h"

#include <fmt/chrono.h>
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "proxy/control/json_text.h"

namespace verge::control {
namespace {

using nlohmann::json;

// What a terminal shall not be told to do.
std::string shown(std::string_view text) {
  std::string out(text.substr(0, 200));
  std::ranges::replace_if(out, [](char c) { return c < ' ' || c == 0x7f; }, '?');
  return out;
}

std::string number(const json& row, const char* name) {
  const auto& value = member_of(row, name);
  return value.is_number_unsigned() ? fmt::format("{}", value.get<uint64_t>()) : "-";
}

std::string time(const json& row) {
  const auto& value = member_of(row, "applied_at");
  if (!value.is_number_unsigned()) return "-";
  const WallTime at(Millis(static_cast<int64_t>(value.get<uint64_t>() % 253'402'300'800'000))); // till the year 9999
  const auto seconds = std::chrono::floor<Seconds>(at);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds), (at - seconds).count());
}

std::string named(const std::vector<std::string>& names) { return fmt::format("{}", fmt::join(names, ", ")); }

} // namespace

FleetReport fleet_report(const json& answer, Millis waited) {
  struct Row {
    std::string node, seq, at, ms, entries;
  };
  std::vector<Row> rows{{"NODE", "SEQUENCE", "APPLIED", "MS", "ENTRIES"}};
  std::vector<std::string> down, missing;
  double slowest = -1;
  std::string slowest_node;
  for (const auto& node : member_of(answer, "nodes")) {
    const auto name = shown(text_at(node, "node"));
    const auto state = text_at(node, "state");
    const auto& ms = member_of(node, "ms");
    const bool applied = state == "applied" && ms.is_number();
    rows.push_back({name, number(node, "seq"), applied ? time(node) : shown(state),
                    applied ? fmt::format("{:.1f}", ms.get<double>()) : "-", number(node, "entries")});
    if (applied && ms.get<double>() > slowest) {
      slowest = ms.get<double>();
      slowest_node = name;
    }
    if (applied) continue;
    const auto why = shown(text_at(node, "why"));
    (state == "down" ? down : missing).push_back(why.empty() ? name : fmt::format("{} ({})", name, why));
  }
  size_t widest = 4;
  for (const auto& row : rows) widest = std::max(widest, row.node.size());
  FleetReport out;
  for (const auto& row : rows) {
    out.table +=
        fmt::format("{:<{}} {:>10} {:<24} {:>10} {:>10}\n", row.node, widest, row.seq, row.at, row.ms, row.entries);
  }
  if (slowest >= 0) out.table += fmt::format("slowest: {}, {:.1f} ms", slowest_node, slowest);
  if (!missing.empty()) {
    out.status = kNotOnAllNodes;
    const auto unsent = shown(text_at(answer, "unsent"));
    out.fault =
        unsent.empty()
            ? fmt::format(
                  "not applied within {:.1f} s by {}, though alive; do they get what is published to fleet.topic? "
                  "`verge purges --wait {}` goes on waiting",
                  static_cast<double>(waited.count()) / 1'000, named(missing), shown(text_at(answer, "id")))
            : fmt::format(
                  "not applied by {}: {}. Set fleet.topic to the SNS topic that every node gets its messages "
                  "from, or give each node the purge itself with --id {}",
                  named(missing), unsent, shown(text_at(answer, "id")));
  } else if (!down.empty()) {
    out.status = kSomeNodesDown;
  }
  if (!down.empty()) out.fault += fmt::format("{}down: {}", out.fault.empty() ? "" : "; ", named(down));
  return out;
}

} // namespace verge::control
