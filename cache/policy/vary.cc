#include "cache/policy/vary.h"

#include <algorithm>

#include "cache/policy/fields.h"
#include "cache/policy/negotiation.h"

namespace verge::policy {
namespace {

std::string lowered(std::string_view s) {
  std::string out{s};
  std::ranges::transform(out, out.begin(), http::lower);
  return out;
}

void append_members(std::string& out, const http::Headers& request, std::string_view name) {
  // The one field whose lines HTTP/2 splits at semicolons (RFC 9113 section 8.2.3).
  const bool cookie = name == "cookie";
  bool first = true;
  const auto append = [&](std::string_view text) {
    if (!first) out += cookie ? ';' : ',';
    first = false;
    out += text;
  };
  for (const http::Field field : request) {
    if (field.name != name) continue;
    if (!cookie) {
      each_member(field.value, append);
      continue;
    }
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const size_t end = std::min(rest.find(';'), rest.size());
      if (const std::string_view pair = http::trim(rest.substr(0, end)); !pair.empty()) append(pair);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
}

} // namespace

std::optional<std::vector<std::string>> vary_fields(const http::Headers& response) {
  std::vector<std::string> fields;
  bool star = false;
  each_member(response, "vary", [&](std::string_view member) {
    if (member == "*") star = true;
    fields.push_back(lowered(member));
  });
  if (star) return std::nullopt;
  std::ranges::sort(fields);
  const auto doubles = std::ranges::unique(fields);
  fields.erase(doubles.begin(), doubles.end());
  return fields;
}

std::string vary_key(const std::vector<std::string>& fields, const http::Headers& request) {
  std::string out;
  for (const std::string& name : fields) {
    // A value can't hold a line feed, so it ends the field; "+" tells an empty value from absence.
    if (!out.empty()) out += '\n';
    if (!request.has(name)) {
      out += '-';
      continue;
    }
    out += '+';
    if (name == "accept-encoding") {
      append(out, accepted_codings(request));
    } else if (name == "accept-language") {
      append_languages(out, request);
    } else if (name == "accept") {
      append_media_ranges(out, request);
    } else {
      append_members(out, request, name);
    }
  }
  return out;
}

} // namespace verge::policy
