// What nodes ask each other, and answer: the input is a question up to its first line feed, an answer behind it. What
// is accepted must be within bounds, harmless to print, and read back as it was.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proxy/control/fleet/node_answer.h"
#include "proxy/control/purge_id.h"
#include "proxy/control/purge_request.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace verge;
  using namespace verge::control;
  const auto check = [](bool good) {
    if (!good) std::abort();
  };
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto query = text.substr(0, text.find('\n'));
  if (const auto question = parse_question(query, Seconds(20))) {
    check(question->wait >= Millis(0) && question->wait <= Seconds(20));
    check(question->ids.size() <= kMostAsked && question->counts.size() <= kMostAsked);
    const auto again = parse_question(to_query(*question), Seconds(20));
    check(again && again->ids == question->ids && again->counts == question->counts && again->wait == question->wait);
  }
  const auto rest = text.substr(std::min(query.size() + 1, text.size()));
  if (const auto answer = parse_node_answer(rest)) {
    check(std::ranges::all_of(answer->node, [](char c) { return c > ' ' && c < 0x7f; }));
    check(answer->purges.size() <= 2 * kMostAsked);
    for (const auto& [id, what] : answer->purges) check(is_purge_id(id));
  }
  if (const auto purge = parse_purge(rest)) {
    check(!purge->targets.empty());
    const auto again = parse_purge(purge_message(*purge, purge->source));
    check(again && again->id == purge->id && again->soft == purge->soft &&
          purge_digest(*again) == purge_digest(*purge));
  }
  return 0;
}
