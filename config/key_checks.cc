#include "config/key_checks.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <map>

#include "config/checks.h"

namespace verge::config {
namespace {

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  return out;
}

bool any_of(std::string_view name, const auto& list) { return std::ranges::find(list, name) != list.end(); }

bool is_field_name(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

// What is wrong with a field's name for either list.
std::string check_field(std::string_view name) {
  constexpr std::array<std::string_view, 9> kHop = {
      "connection", "keep-alive",        "proxy-connection", "proxy-authenticate", "proxy-authorization", "te",
      "trailer",    "transfer-encoding", "upgrade"};
  constexpr std::array<std::string_view, 3> kOurs = {"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"};
  if (!is_field_name(name)) return "is not a field's name";
  if (any_of(name, kHop)) return "speaks of one connection and is never handed on";
  if (any_of(name, kOurs)) return "is written by the node itself; what a client says there is never handed on";
  if (name == "content-length" || name == "expect") return "is part of how a message is sent and is never handed on";
  return "";
}

void check_doubles(Reader& reader, const std::string& path, const std::vector<std::string>& names, bool any_case) {
  std::map<std::string, size_t> seen;
  for (size_t i = 0; i < names.size(); ++i) {
    if (!seen.emplace(any_case ? lower_case(names[i]) : names[i], i).second) {
      reader.fault(fmt::format("{}[{}]", path, i), fmt::format("\"{}\" is given twice", names[i]));
    }
  }
}

void check_query(Reader& reader, const std::string& path, const KeyQuery& query) {
  check_doubles(reader, path + ".allow", query.allow, false);
  check_doubles(reader, path + ".deny", query.deny, false);
  if (!query.allow.empty() && !query.deny.empty()) {
    reader.fault(path + ".deny", "what is not in \"allow\" is dropped already; give either \"allow\" or \"deny\"");
  }
  if (!query.allow.empty() && query.drop_tracking) {
    reader.fault(path + ".tracking",
                 "what is not in \"allow\" is dropped already; leave \"tracking\" out, or give \"deny\" in place of "
                 "\"allow\"");
  }
  const bool drops = !query.allow.empty() || !query.deny.empty() || query.drop_tracking;
  if (query.forward_dropped && !drops) {
    reader.fault(path + ".dropped", "nothing is dropped; it needs \"allow\", \"deny\" or \"tracking: drop\" beside it");
  }
}

} // namespace

std::string check_parameter(std::string_view text) {
  return text.find_first_of("&=?# ") == std::string_view::npos ? "" : "is a name alone, without ? & = # or spaces";
}

std::string check_cookie_name(std::string_view text) { return is_field_name(text) ? "" : "is not a cookie's name"; }

std::string check_key_header(std::string_view text) {
  const std::string name = lower_case(text);
  if (name == "host") return "is in the key already; see \"host\"";
  if (name == "cookie") return "would store an answer for each visitor; name the cookies under \"cookies\"";
  if (name.find('*') != name.npos) return "names no single field; a key needs whole names";
  if (name.starts_with("if-") || name == "range") return "is answered by the cache and doesn't change what is stored";
  return check_field(name);
}

std::string check_forward(std::string_view text) {
  const std::string name = lower_case(text);
  if (name == "host") return "is always sent; an origin's \"host\" says which";
  return check_field(name);
}

void check_key(Reader& reader, const std::string& path, const Site& site, const Route& route) {
  const std::string key = path + ".cache.key";
  check_query(reader, key + ".query", route.cache.key.query);
  check_doubles(reader, key + ".headers", route.cache.key.headers, true);
  check_doubles(reader, key + ".cookies", route.cache.key.cookies.list, false);
  check_doubles(reader, path + ".forward", route.forward.list, true);
  if (!route.cache.key.host && !site.hosts.empty() && site.hosts.front().starts_with('*')) {
    reader.fault(key + ".host",
                 fmt::format("the origin is told the site's first host, and \"{}\" is none; put a full name first",
                             site.hosts.front()));
  }
}

} // namespace verge::config
