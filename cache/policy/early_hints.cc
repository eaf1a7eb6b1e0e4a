#include "cache/policy/early_hints.h"

#include <algorithm>
#include <array>
#include <optional>

#include "cache/policy/fields.h"

namespace verge::policy {
namespace {

bool acts_early(std::string_view relations) {
  constexpr std::array<std::string_view, 3> kNames = {"preload", "preconnect", "modulepreload"};
  while (!relations.empty()) { // a list separated by spaces (RFC 8288 section 3.3)
    const size_t end = std::min(relations.find(' '), relations.size());
    const std::string_view one = relations.substr(0, end);
    if (std::ranges::any_of(kNames, [&](std::string_view name) { return http::iequals(name, one); })) return true;
    relations.remove_prefix(std::min(end + 1, relations.size()));
  }
  return false;
}

// Where the link-value that begins at `from` ends: the next comma outside <> and quoted strings. None: it never ends
// well.
std::optional<size_t> end_of_link(std::string_view line, size_t from) {
  for (size_t i = from; i < line.size(); ++i) {
    if (line[i] == ',') return i;
    if (line[i] == '<') {
      i = line.find('>', i);
      if (i == std::string_view::npos) return std::nullopt;
    } else if (line[i] == '"') {
      i = end_of_quoted(line, i);
      if (i == std::string_view::npos) return std::nullopt;
      --i;
    }
  }
  return line.size();
}

// The first rel parameter of "<target>; name=value; ..." (RFC 8288 section 3.3: later ones are ignored).
std::string_view relation(std::string_view link) {
  if (!link.starts_with('<')) return {};
  size_t at = link.find('>');
  if (at == std::string_view::npos) return {};
  ++at;
  while (at < link.size()) {
    at = link.find(';', at);
    if (at == std::string_view::npos) return {};
    std::string_view rest = link.substr(++at);
    const size_t name_end = std::min(rest.find_first_of("=;"), rest.size());
    const std::string_view name = http::trim(rest.substr(0, name_end));
    at += name_end;
    if (name_end == rest.size() || rest[name_end] == ';') continue;
    rest = rest.substr(name_end + 1);
    const size_t begin = std::min(rest.find_first_not_of(" \t"), rest.size());
    std::string_view value;
    size_t end;
    if (begin < rest.size() && rest[begin] == '"') {
      end = end_of_quoted(rest, begin);
      if (end == std::string_view::npos) return {};
      value = rest.substr(begin + 1, end - begin - 2);
    } else {
      end = std::min(rest.find(';'), rest.size());
      value = http::trim(rest.substr(0, end));
    }
    if (http::iequals(name, "rel")) return value;
    at += 1 + end;
  }
  return {};
}

} // namespace

std::vector<std::string_view> early_links(const http::Headers& response) {
  std::vector<std::string_view> out;
  for (const http::Field field : response) {
    if (field.name != "link") continue;
    for (size_t from = 0; from < field.value.size();) {
      const auto end = end_of_link(field.value, from);
      if (!end) break;
      const std::string_view link = http::trim(field.value.substr(from, *end - from));
      if (acts_early(relation(link)) && out.size() < kMostHints) out.push_back(link);
      from = *end + 1;
    }
  }
  return out;
}

} // namespace verge::policy
