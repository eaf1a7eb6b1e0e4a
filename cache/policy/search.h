// No-Vary-Search: which differences in a URL's query an answer does not depend on (draft-ietf-httpbis-no-vary-search).
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/http/headers.h"

namespace verge::policy {

struct SearchRule {
  bool key_order = false;         // the order of parameters of different names means nothing
  bool all = false;               // no parameter means anything, but those in `names`; else all do, but those
  std::vector<std::string> names; // decoded, sorted, no doubles
  bool operator==(const SearchRule&) const = default;
};

// What a response says. None: it says nothing, or nothing that differs from comparing queries octet by octet; or
// anything in it breaks the grammar, is unknown or of the wrong type (then nothing of it counts); or it names more than
// kMostSearchNames.
inline constexpr size_t kMostSearchNames = 64;
std::optional<SearchRule> search_rule(const http::Headers& response);

// The key text under which all URLs are filed that `rule` calls equivalent to that of `key_text`: the query in normal
// form, and the rule as the last part, so that what is filed under one rule is never found by another.
std::string search_key(std::string_view key_text, const SearchRule& rule);

// The query in the rule's normal form: parameters that mean nothing left out, the others decoded and encoded again.
std::string normal_query(std::string_view query, const SearchRule& rule);

// Was a response that is stored under `stored_key`, with these fields, filed so that it answers the URL of `key_text`?
// For one who waited for it without having found it by its key.
bool answers_url(std::string_view stored_key, bool by_search_rule, const http::Headers& response,
                 std::string_view key_text);

} // namespace verge::policy
