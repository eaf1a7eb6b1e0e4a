#include "proxy/pipeline/forward.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "cache/policy/validation.h"
#include "proxy/http/grammar.h"

namespace verge::pipeline {
namespace {

// Written by the Origin, whatever the client says.
constexpr std::array<std::string_view, 3> kWritten = {"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"};
constexpr std::array<std::string_view, 16> kOverrides = {
    "forwarded",          "x-forwarded-path",       "x-forwarded-port",
    "x-forwarded-prefix", "x-forwarded-scheme",     "x-forwarded-server",
    "x-forwarded-ssl",    "x-forwarded-uri",        "x-host",
    "x-http-method",      "x-http-method-override", "x-method-override",
    "x-original-host",    "x-original-uri",         "x-original-url",
    "x-rewrite-url"};
// What a request means does not survive without these.
constexpr std::array<std::string_view, 9> kOfTheRequest = {"content-encoding", "content-language",    "content-type",
                                                           "if-match",         "if-modified-since",   "if-none-match",
                                                           "if-range",         "if-unmodified-since", "range"};

template <class List>
bool in(const List& list, std::string_view name) {
  return std::ranges::binary_search(list, name, std::less<>{});
}

bool is_override(std::string_view name) {
  return (name.starts_with('x') || name.starts_with('f')) && in(kOverrides, name); // most are neither
}

bool hands_on(const ForwardRules& rules, std::string_view name) {
  if (name.starts_with('x') && in(kWritten, name)) return false;
  switch (rules.mode) {
    case ForwardRules::Mode::all: return true;
    case ForwardRules::Mode::safe: return !is_override(name) || in(rules.always, name);
    case ForwardRules::Mode::list: return rules.names.has(name) || in(rules.always, name) || in(kOfTheRequest, name);
  }
  return false;
}

policy::Names lower_case(const std::vector<std::string>& list) {
  policy::Names names;
  for (std::string name : list) {
    std::ranges::transform(name, name.begin(), http::lower);
    names.add(name);
  }
  return names;
}

} // namespace

ForwardRules ForwardRules::compile(const config::Names& given, const policy::KeyRules& key) {
  ForwardRules rules;
  rules.mode = !given.list.empty() ? Mode::list : given.word == "all" ? Mode::all : Mode::safe;
  rules.names = lower_case(given.list);
  rules.always = key.headers;
  if (key.cookies_named) rules.always.insert(std::ranges::lower_bound(rules.always, "cookie"), "cookie");
  return rules;
}

std::vector<std::string> forwarded_overrides(const config::Names& given) {
  std::vector<std::string> out;
  const auto names = lower_case(given.list);
  for (const auto name : kOverrides) {
    if (given.word == "all" || names.has(name)) out.emplace_back(name);
  }
  return out;
}

http::Headers forwarded_headers(const http::RequestHead& request, const ForwardRules& rules, bool storable) {
  http::Headers out = request.headers;
  out.remove_if([&](const http::Field& field) { return !hands_on(rules, field.name); });
  if (storable) policy::remove_conditions(out);
  return out;
}

void announce_surrogate(http::Headers& origin_headers, const policy::Rules& rules) {
  if (!rules.surrogate_capability) return;
  origin_headers.set("surrogate-capability", rules.surrogate_id + "=\"Surrogate/1.0\"");
}

} // namespace verge::pipeline
