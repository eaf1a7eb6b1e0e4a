// What a route's answers may depend on besides scheme, host, path and query as sent, compiled once. What is not in the
// key does not reach the origin either where it could matter: the key names the request that is made. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/http/message.h"

namespace verge::policy {

// Names, some with `*` for any run of characters.
class Names {
 public:
  void add(std::string_view name);
  bool has(std::string_view name) const noexcept;
  bool empty() const noexcept { return exact_.empty() && patterns_.empty(); }

 private:
  std::vector<std::string> exact_; // sorted
  std::vector<std::string> patterns_;
};

struct KeyRules {
  enum class Query : uint8_t { all, none, allow, deny };
  Query query = Query::all;
  Names query_names;            // of allow and deny
  bool sort_query = false;      // by name; several of one name keep their order
  bool forward_dropped = false; // the origin gets the query as sent all the same

  std::vector<std::string> headers; // lower case, sorted, no doubles
  bool cookies_named = false;       // then no other cookies reach the origin on cacheable requests
  Names cookies;

  std::string scheme; // stands for every scheme; empty: the request's own
  std::string host;   // stands for every host of the site; empty: the request's own

  // The URL as sent, and nothing else: the common case, which costs nothing.
  bool plain() const noexcept { return url_only() && query == Query::all && !sort_query; }
  // The key is a URL: whoever knows the URL knows the key.
  bool url_only() const noexcept { return headers.empty() && !cookies_named; }
};

// Parameters that tell the site's statistics where a visitor came from and nothing else: utm_*, gclid, fbclid and those
// of other well-known campaigns. None of them changes what is shown.
extern const std::vector<std::string_view> kTrackingParameters;

struct Query {
  bool present = false; // "/a?" has an empty query, "/a" none
  std::string text;
};
// The part of a query that is in the key. Parameters are what stands between "&"; a name is compared percent-decoded,
// with its case. When none is left there is no query. `query`: without "?".
Query keyed_query(const KeyRules& rules, bool present, std::string_view query);

// "https://www.example.com/a?x=1\nheader:x-plan=pro\ncookie:lang=de": the URL by key_text(), then each field of the key
// that the request has (so absence is told from an empty value) and each cookie, by name.
std::string key_of(const KeyRules& rules, const http::RequestHead& request);
// The same in the place of what `out` held, in its memory.
void make_key(std::string& out, const KeyRules& rules, const http::RequestHead& request);

// The key's URL for a URL: host (without port) and path with query as a request for them is filed, for invalidations.
// Either comes back changed in place.
void to_key_url(const KeyRules& rules, std::string& host, std::string& path_and_query);

// What a cacheable request loses before anything is made of it: cookies that are not in the key.
void drop_unkeyed_cookies(const KeyRules& rules, http::Headers& request);

// Turns a request into the one that its key names: scheme, host and query of the key.
void to_keyed(const KeyRules& rules, http::RequestHead& request);

} // namespace verge::policy
