#include "proxy/control/tools/tool_api.h"

#include <fmt/core.h>

#include <algorithm>

#include "proxy/http/grammar.h"

namespace verge::control {

Result<cache::Target> tag_target(std::string_view tag) {
  constexpr size_t kLongest = 1'024;
  if (tag.empty() || tag.size() > kLongest || !std::ranges::all_of(tag, [](char c) { return c > ' ' && c < 0x7f; })) {
    return fail(Errc::bad_input,
                fmt::format("\"{}\" is not a tag: 1 to {} visible ASCII characters", tag.substr(0, 100), kLongest),
                Side::client);
  }
  cache::Target out{cache::Target::Kind::tag, {}, std::string(tag)};
  std::ranges::transform(out.value, out.value.begin(), http::lower);
  return out;
}

Result<> add_tags(std::vector<cache::Target>& targets, std::string_view list, std::string_view separators) {
  while (!list.empty()) {
    const size_t end = std::min(list.find_first_of(separators), list.size());
    if (end > 0) {
      auto target = tag_target(list.substr(0, end));
      if (!target) return std::unexpected(std::move(target.error()));
      targets.push_back(std::move(*target));
    }
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return {};
}

} // namespace verge::control
