#include "proxy/pipeline/route_table.h"

#include <algorithm>

namespace verge::pipeline {

void RouteTable::add(std::string_view match) {
  const size_t index = count_++;
  const size_t star = match.find('*');
  if (star == match.npos) {
    exact_.try_emplace(std::string(match), index);
  } else if (star + 1 < match.size()) {
    patterns_.add_glob(match.substr(0, star), 0, std::string(match), index);
  } else if (match.remove_suffix(1); prefixes_.try_emplace(std::string(match), index).second) {
    patterns_.add_prefix(match, index);
  }
}

std::optional<size_t> RouteTable::first(std::string_view path) const {
  size_t best = count_;
  if (!exact_.empty()) {
    if (const auto it = exact_.find(path); it != exact_.end()) best = it->second;
  }
  patterns_.visit(
      path, [&](size_t index) { best = std::min(best, index); }, [&](size_t index) { return index < best; });
  return best < count_ ? std::optional(best) : std::nullopt;
}

} // namespace verge::pipeline
