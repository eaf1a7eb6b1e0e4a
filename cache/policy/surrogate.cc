#include "cache/policy/surrogate.h"

#include <algorithm>
#include <string>
#include <vector>

#include "cache/policy/fields.h"

namespace verge::policy {
namespace {

// Whom a directive is for.
enum class For : uint8_t { everybody, us, others };

struct Targeted {
  std::string_view directive; // "max-age=60"
  For whom = For::everybody;
};

Targeted split(std::string_view member, std::string_view id) noexcept {
  // The value may be quoted, and hold a ";" then.
  size_t end = 0;
  while (end < member.size() && member[end] != ';') {
    const size_t next = member[end] == '"' ? end_of_quoted(member, end) : end + 1;
    end = next == std::string_view::npos ? end + 1 : next;
  }
  Targeted out{http::trim(member.substr(0, end)), For::everybody};
  while (end < member.size()) {
    const size_t next = std::min(member.find(';', end + 1), member.size());
    const std::string_view name = http::trim(member.substr(end + 1, next - end - 1));
    if (out.whom != For::us) out.whom = http::iequals(name, id) ? For::us : For::others;
    end = next;
  }
  return out;
}

std::string_view name_of(std::string_view directive) noexcept { return directive.substr(0, directive.find('=')); }

std::string_view unquoted(std::string_view text) noexcept {
  const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
  return quoted ? text.substr(1, text.size() - 2) : text;
}

// "3600" or "3600+600".
void take_max_age(ResponseDirectives& out, std::string_view value) {
  const size_t plus = value.find('+');
  const auto fresh = parse_delta_seconds(value.substr(0, plus));
  const auto longer = plus == std::string_view::npos ? Seconds{0} : parse_delta_seconds(value.substr(plus + 1));
  const Seconds lifetime = fresh && longer ? *fresh : Seconds{0};
  if (out.max_age && *out.max_age <= lifetime) return;
  out.max_age = lifetime;
  if (plus == std::string_view::npos || !fresh || !longer) return;
  out.stale_while_revalidate = longer;
  out.stale_if_error = longer;
}

} // namespace

std::optional<ResponseDirectives> surrogate_directives(const http::Headers& headers, std::string_view id) {
  std::vector<std::string_view> ours; // names of directives that name us
  each_member(headers, kSurrogateControl, [&](std::string_view member) {
    const Targeted t = split(member, id);
    if (t.whom == For::us) ours.push_back(name_of(t.directive));
  });
  const auto named_for_us = [&](std::string_view name) {
    return std::ranges::any_of(ours, [&](std::string_view n) { return http::iequals(n, name); });
  };

  ResponseDirectives out;
  out.targeted = true;
  bool any = false;
  each_member(headers, kSurrogateControl, [&](std::string_view member) {
    const Targeted t = split(member, id);
    const std::string_view name = name_of(t.directive);
    if (t.whom == For::others || (t.whom == For::everybody && named_for_us(name))) return;
    if (http::iequals(name, "content")) return;
    if (http::iequals(name, "max-age")) {
      any = true;
      const bool valued = t.directive.size() > name.size();
      take_max_age(out, valued ? unquoted(t.directive.substr(name.size() + 1)) : std::string_view{});
    } else if (http::iequals(name, "no-store-remote")) {
      any = out.no_store = true;
    } else {
      any = take_directive(out, t.directive) || any;
    }
  });
  if (!any) return std::nullopt;
  return out;
}

} // namespace verge::policy
