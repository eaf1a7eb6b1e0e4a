// What a node says of a purge's way through the fleet (GET /purges/<id>/nodes), as people and scripts are told: a table
// and an exit status. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "proxy/base/clock.h"

namespace verge::control {

// Exit statuses of `verge purge --wait`, besides 0, 1 and 2.
inline constexpr int kSomeNodesDown = 3; // every node that answers has applied it; others are down
inline constexpr int kNotOnAllNodes = 4; // a node that answers has not

struct FleetReport {
  std::string table; // a row a node, then the slowest; no line feed at its end
  std::string fault; // what is missing, which nodes, and how to mend it; empty: every node has applied it
  int status = 0;
};
// `waited`: how long; for the text. Of an answer of another version nothing is taken for granted.
FleetReport fleet_report(const nlohmann::json& answer, Millis waited);

} // namespace verge::control
