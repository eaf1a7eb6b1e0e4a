// What a node tells of its purges, as text: what it is asked (a query) and what it answers (JSON). Pure; both ways are
// here, so that two nodes can't differ.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/control/fleet/fleet_tracker.h"
#include "proxy/control/purge_log.h"

namespace verge::control {

inline constexpr size_t kMostAsked = 100;               // ids of one question
inline constexpr size_t kNodeAnswerBytes = 64ull << 10; // more than an answer to that takes

// "id=a,b&count=c&wait=2.5"
struct PurgeQuestion {
  std::vector<std::string> ids;    // applied?
  std::vector<std::string> counts; // how many responses were hit?
  Millis wait{0};                  // until one of them is
};
std::string to_query(const PurgeQuestion& question);
// `wait` at most `limit`. Error bad_input: what is none.
Result<PurgeQuestion> parse_question(std::string_view query, Millis limit);

// One purge of this node: {"id", "content", "seq", "applied_at", "applied_ms", "entries"}; the last only where it was
// counted.
nlohmann::json purge_json(const PurgeRow& row, std::optional<uint64_t> entries);

struct NodeAnswer {
  std::string node, instance;
  std::vector<std::pair<std::string, AppliedPurge>> purges; // by id
};
// {"node", "instance", "purges": [...]}. Error bad_input: not a node of ours, or one that talks too much.
Result<NodeAnswer> parse_node_answer(std::string_view text);

} // namespace verge::control
