#include "cache/policy/key_rules.h"

#include <algorithm>

#include "cache/policy/key.h"
#include "cache/policy/vary.h"
#include "proxy/base/glob.h"
#include "proxy/http/grammar.h"

namespace verge::policy {
namespace {

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  c = http::lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// "utm%5Fsource" -> "utm_source"; what is no percent-encoding stays.
std::string decoded(std::string_view s) {
  std::string out;
  out.reserve(s.size());
  for (size_t i = 0; i < s.size(); ++i) {
    if (s[i] == '%' && i + 2 < s.size() && hex_digit(s[i + 1]) >= 0 && hex_digit(s[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(s[i + 1]) * 16 + hex_digit(s[i + 2]));
      i += 2;
    } else {
      out += s[i];
    }
  }
  return out;
}

struct Pair {
  std::string_view name, whole;
};

// Calls f(part) for each non-empty part between separators.
template <class F>
void each_part(std::string_view text, char separator, F f) {
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    if (end > 0) f(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

bool in_key(const KeyRules& rules, std::string_view name) {
  if (rules.query == KeyRules::Query::all) return true;
  const bool listed = name.find('%') == name.npos ? rules.query_names.has(name) : rules.query_names.has(decoded(name));
  return listed == (rules.query == KeyRules::Query::allow);
}

// The request's cookies that are in the key, in the order sent.
std::vector<Pair> keyed_cookies(const KeyRules& rules, const http::Headers& request) {
  std::vector<Pair> pairs;
  for (const http::Field field : request) {
    if (field.name != "cookie") continue;
    each_part(field.value, ';', [&](std::string_view part) {
      part = http::trim(part);
      const std::string_view name = http::trim(part.substr(0, part.find('=')));
      if (!part.empty() && rules.cookies.has(name)) pairs.push_back({name, part});
    });
  }
  return pairs;
}

} // namespace

void Names::add(std::string_view name) {
  if (name.find('*') != name.npos) {
    patterns_.emplace_back(name);
  } else if (const auto at = std::ranges::lower_bound(exact_, name); at == exact_.end() || *at != name) {
    exact_.emplace(at, name);
  }
}

bool Names::has(std::string_view name) const noexcept {
  if (std::ranges::binary_search(exact_, name, std::less<>{})) return true;
  return std::ranges::any_of(patterns_, [&](const auto& pattern) { return glob_match(pattern, name); });
}

const std::vector<std::string_view> kTrackingParameters = {
    "utm_*",       "gclid",   "gclsrc",    "gbraid",        "wbraid",    "gad_source", "gad_campaignid", "dclid",
    "srsltid",     "_ga",     "_gl",       "fbclid",        "fb_source", "fb_ref",     "fb_action_*",    "igshid",
    "igsh",        "msclkid", "twclid",    "ttclid",        "li_fat_id", "epik",       "rdt_cid",        "ScCid",
    "yclid",       "ysclid",  "_openstat", "mc_cid",        "mc_eid",    "_hsenc",     "_hsmi",          "hsa_*",
    "__hstc",      "__hsfp",  "__hssc",    "hsCtaTracking", "mkt_tok",   "vero_id",    "vero_conv",      "oly_enc_id",
    "oly_anon_id", "_ke",     "_kx",       "s_kwcid",       "ef_id",     "irclickid",  "cjevent",        "mtm_*",
    "matomo_*",    "pk_*",    "piwik_*"};

Query keyed_query(const KeyRules& rules, bool present, std::string_view query) {
  if (rules.query == KeyRules::Query::all && !rules.sort_query) return {present, std::string(query)};
  if (rules.query == KeyRules::Query::none) return {};
  std::vector<Pair> kept;
  each_part(query, '&', [&](std::string_view part) {
    const std::string_view name = part.substr(0, part.find('='));
    if (in_key(rules, name)) kept.push_back({name, part});
  });
  if (rules.sort_query) std::ranges::stable_sort(kept, {}, &Pair::name);
  Query out;
  out.text.reserve(query.size());
  for (const auto& pair : kept) {
    if (!out.text.empty()) out.text += '&';
    out.text += pair.whole;
  }
  out.present = !out.text.empty();
  return out;
}

std::string key_of(const KeyRules& rules, const http::RequestHead& request) {
  std::string out;
  make_key(out, rules, request);
  return out;
}

void make_key(std::string& out, const KeyRules& rules, const http::RequestHead& request) {
  const std::string& scheme = rules.scheme.empty() ? request.scheme : rules.scheme;
  const std::string& host = rules.host.empty() ? request.authority : rules.host;
  if (rules.plain()) {
    return make_key_text(out, scheme, host, request.path, request.has_query, request.query);
  }
  const auto query = keyed_query(rules, request.has_query, request.query);
  make_key_text(out, scheme, host, request.path, query.present, query.text);
  for (const auto& name : rules.headers) {
    const std::string value = vary_key({name}, request.headers); // spellings of one meaning share an answer
    if (value.starts_with('+')) out.append("\nheader:").append(name).append("=").append(value, 1);
  }
  if (rules.cookies_named) {
    auto pairs = keyed_cookies(rules, request.headers);
    std::ranges::stable_sort(pairs, {}, &Pair::name);
    for (const auto& pair : pairs) out.append("\ncookie:").append(pair.whole);
  }
}

void to_key_url(const KeyRules& rules, std::string& host, std::string& path_and_query) {
  if (!rules.host.empty()) host = rules.host;
  const size_t mark = path_and_query.find('?');
  if (mark == std::string::npos) return;
  const auto query = keyed_query(rules, true, std::string_view(path_and_query).substr(mark + 1));
  path_and_query.resize(mark);
  if (query.present) path_and_query.append("?").append(query.text);
}

void drop_unkeyed_cookies(const KeyRules& rules, http::Headers& request) {
  if (!rules.cookies_named || !request.has("cookie")) return;
  std::string kept;
  for (const auto& pair : keyed_cookies(rules, request)) kept.append(kept.empty() ? "" : "; ").append(pair.whole);
  kept.empty() ? (void)request.remove("cookie") : request.set("cookie", kept);
}

void to_keyed(const KeyRules& rules, http::RequestHead& request) {
  if (!rules.scheme.empty()) request.scheme = rules.scheme;
  if (!rules.host.empty()) request.authority = rules.host;
  if (rules.plain() || rules.forward_dropped) return;
  auto query = keyed_query(rules, request.has_query, request.query);
  request.has_query = query.present;
  request.query = std::move(query.text);
}

} // namespace verge::policy
