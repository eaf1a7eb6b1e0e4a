#include "cache/policy/cache_control.h"

#include <algorithm>
#include <iterator>

#include "cache/policy/fields.h"
#include "cache/policy/surrogate.h"
#include "cache/policy/targeted.h"

namespace verge::policy {
namespace {

struct Directive {
  std::string_view name;
  std::optional<std::string_view> argument; // without its quotes
  bool escaped = false;                     // a quoted string with backslashes in it
};

// `name`, `name=token` or `name="text"`. White space round "=" is not in the grammar, so it stays and spoils the name
// or the value; single quotes are octets like others.
Directive split_directive(std::string_view member) noexcept {
  const size_t eq = member.find('=');
  if (eq == std::string_view::npos) return {member, std::nullopt};
  std::string_view argument = member.substr(eq + 1);
  const bool quoted = argument.size() >= 2 && argument.front() == '"' && argument.back() == '"';
  if (quoted) argument = argument.substr(1, argument.size() - 2);
  return {member.substr(0, eq), argument, quoted && argument.find('\\') != std::string_view::npos};
}

// A quoted-pair means the octet behind its backslash (RFC 9110 section 5.6.4).
std::string unescaped(std::string_view quoted) {
  std::string out;
  for (size_t i = 0; i < quoted.size(); ++i) {
    if (quoted[i] == '\\' && i + 1 < quoted.size()) ++i;
    out += quoted[i];
  }
  return out;
}

std::optional<Seconds> seconds_of(const Directive& d) {
  return d.escaped ? parse_delta_seconds(unescaped(*d.argument)) : parse_delta_seconds(d.argument.value_or(""));
}

void take_least(std::optional<Seconds>& slot, Seconds value) noexcept { slot = slot ? std::min(*slot, value) : value; }

// no-cache or private: bare, or with field names. What is no list of names is taken as bare, the stricter meaning.
void take_fields(const Directive& d, bool& bare, std::vector<std::string>& fields) {
  if (!d.argument) {
    bare = true;
    return;
  }
  std::vector<std::string> names;
  bool good = true;
  const std::string unquoted = d.escaped ? unescaped(*d.argument) : std::string();
  each_member(d.escaped ? unquoted : *d.argument, [&](std::string_view name) {
    good = good && http::is_token(name);
    std::ranges::transform(name, std::back_inserter(names.emplace_back()), http::lower);
  });
  if (good && !names.empty()) {
    std::ranges::move(names, std::back_inserter(fields));
  } else {
    bare = true;
  }
}

bool take(ResponseDirectives& out, const Directive& d) {
  const auto is = [&](std::string_view name) { return http::iequals(d.name, name); };
  const auto seconds = [&] { return seconds_of(d); };
  if (is("max-age")) {
    take_least(out.max_age, seconds().value_or(Seconds{0}));
  } else if (is("s-maxage")) {
    take_least(out.s_maxage, seconds().value_or(Seconds{0}));
  } else if (is("stale-while-revalidate")) {
    if (const auto s = seconds()) take_least(out.stale_while_revalidate, *s);
  } else if (is("stale-if-error")) {
    if (const auto s = seconds()) take_least(out.stale_if_error, *s);
  } else if (is("no-cache")) {
    take_fields(d, out.no_cache, out.no_cache_fields);
  } else if (is("private")) {
    take_fields(d, out.private_, out.private_fields);
  } else if (is("no-store")) {
    out.no_store = true;
  } else if (is("public")) {
    out.public_ = true;
  } else if (is("must-revalidate")) {
    out.must_revalidate = true;
  } else if (is("proxy-revalidate")) {
    out.proxy_revalidate = true;
  } else if (is("must-understand")) {
    out.must_understand = true;
  } else if (is("no-transform")) {
    out.no_transform = true;
  } else if (is("immutable")) {
    out.immutable = true;
  } else {
    return false;
  }
  return true;
}

void take(RequestDirectives& out, const Directive& d) {
  const auto is = [&](std::string_view name) { return http::iequals(d.name, name); };
  const auto seconds = [&] { return seconds_of(d); };
  if (is("no-cache")) {
    out.no_cache = true;
  } else if (is("no-store")) {
    out.no_store = true;
  } else if (is("only-if-cached")) {
    out.only_if_cached = true;
  } else if (is("max-age")) {
    if (const auto s = seconds()) take_least(out.max_age, *s);
  } else if (is("max-stale")) {
    if (!d.argument) out.max_stale_any = true;
    if (const auto s = seconds()) take_least(out.max_stale, *s);
  } else if (is("min-fresh")) {
    if (const auto s = seconds()) out.min_fresh = std::max(out.min_fresh.value_or(Seconds{0}), *s);
  }
}

} // namespace

ResponseDirectives response_directives(const http::Headers& headers, const Rules& rules) {
  for (const std::string& name : rules.targets) {
    auto for_us = name == kSurrogateControl ? surrogate_directives(headers, rules.surrogate_id)
                                            : targeted_directives(headers, name);
    if (for_us) return std::move(*for_us);
  }
  ResponseDirectives out;
  each_member(headers, "cache-control", [&](std::string_view member) { take(out, split_directive(member)); });
  return out;
}

bool take_directive(ResponseDirectives& out, std::string_view directive) {
  return take(out, split_directive(directive));
}

RequestDirectives request_directives(const http::Headers& headers) {
  RequestDirectives out;
  if (!headers.has("cache-control") && !headers.has("pragma")) return out;
  bool cache_control = false;
  bool pragma_no_cache = false;
  for (const http::Field field : headers) {
    if (field.name == "cache-control") {
      cache_control = true;
      each_member(field.value, [&](std::string_view member) { take(out, split_directive(member)); });
    } else if (field.name == "pragma") {
      each_member(field.value, [&](std::string_view member) {
        pragma_no_cache = pragma_no_cache || http::iequals(member, "no-cache");
      });
    }
  }
  if (!cache_control && pragma_no_cache) out.no_cache = true;
  return out;
}

RequestDirectives honoured(const RequestDirectives& asked, const Honoured& which) noexcept {
  RequestDirectives out = asked;
  if (!which.no_cache) out.no_cache = false;
  if (!which.no_store) out.no_store = false;
  if (!which.only_if_cached) out.only_if_cached = false;
  if (!which.max_age) out.max_age.reset();
  if (!which.min_fresh) out.min_fresh.reset();
  if (!which.max_stale) {
    out.max_stale.reset();
    out.max_stale_any = false;
  }
  return out;
}

} // namespace verge::policy
