#include "cache/policy/selection.h"

#include <algorithm>
#include <string>

#include "cache/policy/fields.h"
#include "cache/policy/validation.h"

namespace verge::policy {
namespace {

bool accepts_coding(const http::Headers& request, std::string_view coding) {
  bool accepted = false;
  each_member(request, "accept-encoding", [&](std::string_view member) {
    const size_t end = member.find(';');
    if (!http::iequals(http::trim(member.substr(0, end)), coding)) return;
    const std::string_view weight = end == std::string_view::npos ? "" : http::trim(member.substr(end + 1));
    // "q=0", "q=0.000": not acceptable.
    const bool refused = weight.size() >= 3 && (weight[0] == 'q' || weight[0] == 'Q') && weight[1] == '=' &&
                         weight.substr(2).find_first_not_of("0.") == std::string_view::npos;
    accepted = !refused;
  });
  return accepted;
}

} // namespace

bool may_be_offered(const http::RequestHead& request, const http::Headers& stored) {
  const auto etag = stored.get("etag");
  if (!etag || !is_strong_etag(*etag) || stored.count("etag") != 1) return false;
  if (stored.has("content-range")) return false; // a part validates nothing but itself
  bool readable = true;
  each_member(stored, "content-encoding", [&](std::string_view coding) {
    if (!http::iequals(coding, "identity") && !accepts_coding(request.headers, coding)) readable = false;
  });
  return readable;
}

bool set_conditions(http::Headers& request, const http::Headers* selected,
                    std::span<const http::Headers* const> others) {
  if (selected != nullptr) {
    set_conditions(request, *selected);
  } else {
    remove_conditions(request);
  }
  std::vector<std::string_view> named;
  std::string list;
  const auto name = [&](std::string_view etag) {
    if (std::ranges::find(named, etag) != named.end()) return;
    named.push_back(etag);
    if (!list.empty()) list += ", ";
    list += etag;
  };
  if (const auto etag = selected != nullptr ? selected->get("etag") : std::nullopt) {
    name(*etag);
    // What is no entity tag by the grammar can't stand in a list; alone it is handed back as it came.
    const std::string_view opaque = etag->starts_with("W/") ? etag->substr(2) : *etag;
    if (!is_strong_etag(opaque)) return true;
  } else if (selected != nullptr && selected->has("last-modified")) {
    return true; // with If-None-Match beside it the date would not count (RFC 9110 section 13.1.3)
  }
  for (const http::Headers* other : others) {
    if (const auto etag = other->get("etag")) name(*etag);
  }
  if (named.empty()) return false;
  request.remove("if-none-match");
  request.add("if-none-match", list);
  return true;
}

std::optional<int> selected_by(const http::Headers& not_modified, const http::Headers* selected,
                               std::span<const http::Headers* const> others) {
  const auto etag = not_modified.get("etag");
  if (!etag && !others.empty()) {
    // RFC 9110 section 15.4.5 has it name the ETag; without one it is clear only if we asked about one response.
    if (others.size() == 1 && selected == nullptr) return 0;
    if (selected == nullptr || !not_modified.has("last-modified")) return std::nullopt;
  }
  if (selected != nullptr && freshens(*selected, not_modified)) return -1;
  if (!etag) return std::nullopt;
  for (size_t n = 0; n < others.size(); ++n) {
    if (strong_match(others[n]->get("etag").value_or(""), *etag)) return static_cast<int>(n);
  }
  return std::nullopt;
}

HeadSays head_says(const http::Headers& stored, std::optional<uint64_t> stored_length, int status,
                   const http::Headers& answer, std::optional<uint64_t> content_length) noexcept {
  if (status != 200) return HeadSays::nothing;
  for (const std::string_view name : {"etag", "last-modified"}) {
    const auto named = answer.get(name);
    if (named && stored.get(name) != named) return HeadSays::other;
  }
  if (content_length && stored_length != content_length) return HeadSays::other;
  return HeadSays::same;
}

} // namespace verge::policy
