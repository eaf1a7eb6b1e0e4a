#include "cache/policy/search.h"

#include <algorithm>
#include <utility>

#include "cache/policy/structured.h"

namespace verge::policy {
namespace {

constexpr size_t kMostNameOctets = 256;

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// As application/x-www-form-urlencoded is read: "+" is a space, "%41" an octet, any other "%" itself.
std::string decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

void append_encoded(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '*';
    if (plain) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      out += '%';
      out += kHex[u >> 4];
      out += kHex[u & 15];
    }
  }
}

// False: not a list of strings.
bool take_names(const Item& item, std::vector<std::string>& names) {
  if (item.kind != Item::Kind::list || item.items.size() > kMostSearchNames) return false;
  for (const Item& name : item.items) {
    if (name.kind != Item::Kind::string || name.text.size() > kMostNameOctets) return false;
    names.push_back(decoded(name.text));
  }
  std::ranges::sort(names);
  const auto doubles = std::ranges::unique(names);
  names.erase(doubles.begin(), doubles.end());
  return true;
}

// "key-order;all;a,b": one text for each rule.
std::string text_of(const SearchRule& rule) {
  std::string out = rule.key_order ? "key-order;" : ";";
  out += rule.all ? "except=" : "params=";
  for (size_t i = 0; i < rule.names.size(); ++i) {
    if (i > 0) out += ',';
    append_encoded(out, rule.names[i]);
  }
  return out;
}

constexpr std::string_view kPart = "\nsearch=";

std::string_view url_of(std::string_view key_text) noexcept { return key_text.substr(0, key_text.find('\n')); }

} // namespace

std::optional<SearchRule> search_rule(const http::Headers& response) {
  if (!response.has("no-vary-search")) return std::nullopt;
  SearchRule rule;
  bool good = true;
  std::optional<Item> order, params, except; // of doubles the last counts
  const bool read = read_dictionary(response.joined("no-vary-search"), [&](std::string_view key, const Item& item) {
    if (key == "key-order") {
      order = item;
    } else if (key == "params") {
      params = item;
    } else if (key == "except") {
      except = item;
    } else {
      good = false; // it may narrow what we would take for said
    }
  });
  if (!read || !good) return std::nullopt;
  if (order) {
    if (order->kind != Item::Kind::boolean) return std::nullopt;
    rule.key_order = order->truth;
  }
  if (params) {
    if (params->kind == Item::Kind::boolean) {
      rule.all = params->truth;
    } else if (!take_names(*params, rule.names)) {
      return std::nullopt;
    }
  }
  if (except && (!rule.all || !take_names(*except, rule.names))) return std::nullopt;
  if (rule == SearchRule{}) return std::nullopt;
  return rule;
}

std::string normal_query(std::string_view query, const SearchRule& rule) {
  std::vector<std::pair<std::string, std::string>> parameters;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view parameter = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (parameter.empty()) continue;
    const size_t equals = std::min(parameter.find('='), parameter.size());
    std::string name = decoded(parameter.substr(0, equals));
    if (std::ranges::binary_search(rule.names, name) != rule.all) continue; // listed: ignored, unless all others are
    parameters.emplace_back(std::move(name), decoded(parameter.substr(std::min(equals + 1, parameter.size()))));
  }
  if (rule.key_order) {
    std::ranges::stable_sort(parameters, {}, &std::pair<std::string, std::string>::first);
  }
  std::string out;
  for (const auto& [name, value] : parameters) {
    if (!out.empty()) out += '&';
    append_encoded(out, name);
    out += '=';
    append_encoded(out, value);
  }
  return out;
}

std::string search_key(std::string_view key_text, const SearchRule& rule) {
  const std::string_view url = url_of(key_text);
  const size_t mark = std::min(url.find('?'), url.size());
  std::string out(url.substr(0, mark));
  const std::string query = normal_query(url.substr(std::min(mark + 1, url.size())), rule);
  if (!query.empty()) out.append("?").append(query);
  out += key_text.substr(url.size());
  out += kPart;
  out += text_of(rule);
  return out;
}

bool answers_url(std::string_view stored_key, bool by_search_rule, const http::Headers& response,
                 std::string_view key_text) {
  if (!by_search_rule) return url_of(stored_key) == url_of(key_text);
  const auto rule = search_rule(response);
  return rule && url_of(search_key(url_of(key_text), *rule)) == url_of(stored_key);
}

} // namespace verge::policy
