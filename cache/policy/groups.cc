#include "cache/policy/groups.h"

#include <algorithm>

#include "cache/policy/structured.h"

namespace verge::policy {
namespace {

std::vector<std::string> groups_of(const http::Headers& headers, std::string_view name, std::string_view origin) {
  std::vector<std::string> out;
  if (!headers.has(name)) return out;
  bool strings = true; // a member of another type makes it no List of Strings (RFC 9651 section 1.1)
  const bool good = read_list(headers.joined(name), [&](const Item& item) {
    if (item.kind != Item::Kind::string) strings = false;
    if (!strings || item.text.size() > kMaxGroupOctets || out.size() >= kMaxGroups) return;
    std::string group;
    group.reserve(origin.size() + 1 + item.text.size());
    group.append(origin).append(1, ' ').append(item.text);
    if (std::ranges::find(out, group) == out.end()) out.push_back(std::move(group));
  });
  if (!good || !strings) out.clear();
  return out;
}

} // namespace

std::string_view origin_of_key(std::string_view key_text) noexcept {
  const size_t scheme_end = key_text.find("://");
  const size_t authority = scheme_end == std::string_view::npos ? 0 : scheme_end + 3;
  return key_text.substr(0, key_text.find_first_of("/?\n", authority));
}

std::vector<std::string> response_groups(const http::Headers& headers, std::string_view origin) {
  return groups_of(headers, "cache-groups", origin);
}

std::vector<std::string> invalidated_groups(const http::Headers& headers, std::string_view origin) {
  return groups_of(headers, "cache-group-invalidation", origin);
}

} // namespace verge::policy
