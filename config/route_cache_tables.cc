#include "config/route_cache_tables.h"

#include "config/cache_kinds.h"
#include "config/checks.h"
#include "config/kinds.h"

namespace verge::config {
namespace {

const Table<Ttl>& ttl_table() {
  static const Table<Ttl> table(
      {"sites[].routes[].cache.ttl",
       "How long responses stay fresh, where the origin's word is not enough.",
       "",
       {},
       {}},
      {
          row("default", &Ttl::default_, Duration{}, "for responses that say nothing about it"),
          row("min", &Ttl::min, Duration{}, "raises what the origin says"),
          row("max", &Ttl::max, Duration{}, "caps what the origin says"),
      });
  return table;
}

const Table<KeyQuery>& key_query_table() {
  static const Table<KeyQuery> table = [] {
    Table<KeyQuery> made(
        {"sites[].routes[].cache.key.query",
         "Which query parameters are in the key. `query: none` has none in it, `query: all` is the default. The origin "
         "gets the query that is in the key.",
         "",
         {},
         {}},
        {
            row("allow", &KeyQuery::allow, ListOf<Text>{{check_parameter}},
                "only these; * stands for any run of characters"),
            row("deny", &KeyQuery::deny, ListOf<Text>{{check_parameter}}, "all but these"),
            row("tracking", &KeyQuery::drop_tracking, Choice<bool>{{{"keep", false}, {"drop", true}}},
                "whether the well-known parameters of campaigns are denied: utm_*, gclid, fbclid, msclkid ..."),
            row("sort", &KeyQuery::sort, Flag{}, "put in order by name, so that ?a&b and ?b&a share an answer"),
            row("dropped", &KeyQuery::forward_dropped, Choice<bool>{{{"hide", false}, {"forward", true}}},
                "whether the origin gets, as sent, what the key leaves out; its answers must not depend on it"),
        });
    made.words = "all or none";
    made.word = [](std::string_view word, KeyQuery& out) {
      if (word == "none") out.mode = KeyQueryMode::none;
      return word == "none" || word == "all";
    };
    return made;
  }();
  return table;
}

const Table<RouteKey>& route_key_table() {
  static const Table<RouteKey> table(
      {"sites[].routes[].cache.key",
       "What an answer is stored under: by default scheme, host, path and query as sent.",
       "",
       {},
       {}},
      {
          row("query", &RouteKey::query, Sub<KeyQuery>{key_query_table()}, "query parameters").fallback("all"),
          row("headers", &RouteKey::headers, ListOf<Text>{{check_key_header, false, false, "field name"}},
              "request fields whose values are in the key"),
          row("cookies", &RouteKey::cookies, WordOrList{{"none"}, {check_cookie_name, false, false, "cookie name"}},
              "cookies that are in the key; those that aren't are then hidden from the origin. * stands for any run of "
              "characters")
              .fallback("not in the key, forwarded"),
          row("scheme", &RouteKey::scheme, Flag{}, "false: http and https share answers; the origin is told https"),
          row("host", &RouteKey::host, Flag{},
              "false: all hosts of the site share answers; the origin is told the first"),
      });
  return table;
}

} // namespace

const Table<RouteCache>& route_cache_table() {
  static const Table<RouteCache> table = [] {
    Table<RouteCache> made(
        {"sites[].routes[].cache", "How a route's responses are stored. `cache: off` stores none.", "", {}, {}},
        {
            row("key", &RouteCache::key, Sub<RouteKey>{route_key_table()}, "what answers are stored under"),
            row("methods", &RouteCache::methods, ListOf<Text>{{check_cached_method, false, false, "method"}},
                "whose answers are stored; GET and HEAD always are. With QUERY or POST the body is part of the key; "
                "POST "
                "only where it asks and changes nothing"),
            row("key_body", &RouteCache::key_body, size_between(1, kMiB),
                "most octets of a body that is part of the key; larger requests pass"),
            row("ttl", &RouteCache::ttl, Sub<Ttl>{ttl_table()}, "freshness"),
            row("set_cookie", &RouteCache::store_set_cookie, Choice<bool>{{{"skip", false}, {"store", true}}},
                "whether responses with Set-Cookie are stored"),
            row("heuristic", &RouteCache::heuristic, Flag{},
                "guess a lifetime from Last-Modified where nothing else is said (RFC 9111, 4.2.2)"),
            row("stale_while_revalidate", &RouteCache::stale_while_revalidate, Duration{},
                "serve stale this long while asking anew, where the origin does not say (RFC 5861)"),
            row("stale_if_error", &RouteCache::stale_if_error, Duration{},
                "serve stale this long while the origin fails, where it does not say (RFC 5861)"),
            row("no_vary_search", &RouteCache::no_vary_search, Choice<bool>{{{"honour", true}, {"ignore", false}}},
                "whether a response may say in No-Vary-Search which query parameters it does not depend on"),
            row("reflection", &RouteCache::refuse_reflections, Choice<bool>{{{"refuse", true}, {"allow", false}}},
                "whether a response that repeats a request field that is not in its key is not stored"),
            row("negative", &RouteCache::negative, StatusTtls{},
                "how long errors are kept that name no lifetime themselves; 404 goes before 4xx; 0s: not at all"),
            row("client_cache_control", &RouteCache::client_cache_control, Directives{},
                "which directives of a client's Cache-Control count; Pragma goes with no-cache"),
            row("targets", &RouteCache::targets, FieldNames{check_target},
                "fields that count before Cache-Control, the first that speaks: surrogate-control, or "
                "NAME-cache-control "
                "(RFC 9213)"),
            row("surrogate_id", &RouteCache::surrogate_id, Text{check_field_name, false, false, "token"},
                "what Surrogate-Control calls us: max-age=60;verge is for us alone"),
            row("surrogate_capability", &RouteCache::surrogate_capability, Flag{},
                "tell the origin by Surrogate-Capability that Surrogate-Control is obeyed"),
            row("tag_headers", &RouteCache::tag_headers, TagHeaders{},
                "fields whose members are tags, and what stands between these"),
            row("strip", &RouteCache::strip, FieldNames{}, "fields that are meant for us and not handed to clients")
                .fallback("verge-cache-control, surrogate-control and the tag_headers"),
            row("stale_if_slow", &RouteCache::stale_if_slow, Duration{},
                "where stale_if_error allows it: after so long without an answer the client gets the stale response, "
                "and the origin goes on to be waited for behind it; 0s: when the fetch has failed"),
            row("fail_timeout", &RouteCache::fail_timeout, Duration{},
                "how long a failure is remembered: until then, or until the origin answers well, stale_if_error serves "
                "at once and asks behind; 0s: each request finds out for itself"),
            row("refresh_ahead", &RouteCache::refresh_ahead, PercentOrDuration{50},
                "refresh what is asked for again in this last part of its lifetime, before it expires"),
            row("follow_timeout", &RouteCache::follow_timeout, Duration{kMs, kDay},
                "how long a request waits for another one's fetch of the same before it asks for itself")
                .fallback("limits.follow_timeout"),
            row("cache_status", &RouteCache::status_field,
                Choice<StatusField>{{{"on", StatusField::on}, {"key", StatusField::key}, {"off", StatusField::off}}},
                "the Cache-Status field of responses (RFC 9211): on; key: with the cache key in it, to look into "
                "things; "
                "off: none"),
            row("early_hints", &RouteCache::early_hints,
                Choice<EarlyHints>{{{"http2", EarlyHints::http2}, {"on", EarlyHints::on}, {"off", EarlyHints::off}}},
                "send the preload, preconnect and modulepreload links of a stale response as 103 while the origin is "
                "asked; http2: to HTTP/2 clients"),
            row("tags", &RouteCache::tags, ListOf<Text>{{check_tag}}, "tags of every response, to invalidate by"),
            row("max_object", &RouteCache::max_object, size_between(1, 64 * kTiB), "larger bodies are not stored"),
            row("slice", &RouteCache::slice, SizeOrOff{size_between(64 * kKiB, 1024 * kMiB), 8 * kMiB},
                "fetch and store in pieces of this size, on demand: for large bodies that are sought in"),
        });
    made.word = [](std::string_view word, RouteCache& out) {
      if (is_off(word)) out.enabled = false;
      return is_off(word) || is_on(word);
    };
    return made;
  }();
  return table;
}

} // namespace verge::config
