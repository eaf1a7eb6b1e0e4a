// A slow and literal reading of RFC 9111 as a shared cache, with RFC 5861, 8246 and 9213: each function goes through
// the sentences of its section one by one. What the RFC leaves open is a House, by name. Nothing of cache/policy is
// used.
#pragma once

#include <map>

#include "tests/cache/policy/rfc9110_model.h"

namespace verge::model {

// What the RFC leaves to a cache, as cache/policy/README.md chooses it, and a route's settings.
struct House {
  bool enabled = true;
  // Directives of requests that count; Pragma goes with no-cache.
  std::set<Text> honoured = {"no-cache", "no-store", "max-age", "min-fresh", "max-stale", "only-if-cached"};
  std::vector<Text> targets = {"verge-cache-control", "cdn-cache-control"}; // RFC 9213 section 2.2: the target list
  std::map<int, Second> negative; // lifetimes of errors that name none; 4 and 5 stand for a class
  std::optional<Second> default_lifetime;
  Second least_lifetime = 0, most_lifetime = 31'536'000;
  bool guess = true;                // section 4.2.2
  Second guess_part = 10;           // the tenth part of the time since Last-Modified,
  Second most_guess = 24 * 3600;    // but a day at most
  Second too_large = 2'147'483'648; // section 1.2.2: what overflows counts as this
  bool keep_set_cookie = false;
  Second stale_while_revalidate = 0, stale_if_error = 0; // where the response names none
  uint64_t most_octets = 5ULL << 30;
  size_t most_ranges = 16;
  // RFC 9110 section 15.1, less 206 (kept by other means) and 501 (an error of the moment).
  std::set<int> guessable = {200, 203, 204, 300, 301, 308, 404, 405, 410, 414};
  // Statuses whose meaning for a cache is known (section 3): all of RFC 9110 section 15 and 424, 451 that may be kept.
  std::set<int> understood = {200, 201, 202, 203, 204, 205, 300, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405,
                              406, 409, 410, 411, 413, 414, 415, 422, 424, 426, 451, 500, 501, 502, 503, 504, 505};
  // Statuses that answer this one request and not the resource. RFC 6585 forbids storing 428, 429, 431 and 511.
  std::set<int> of_the_request = {304, 407, 408, 412, 416, 417, 421, 425, 428, 429, 431, 511};
  // Connection can't nominate these away: without them a private answer looks public.
  std::set<Text> never_nominated = {"host",          "content-length", "authorization", "cookie",
                                    "cache-control", "set-cookie",     "vary"};
};

// Section 5.2: flags by name, seconds by name, and the field names of no-cache="..." and private="...".
struct Directives {
  std::set<Text> flags;
  std::map<Text, Second> seconds;
  std::map<Text, std::vector<Text>> fields;
  bool targeted = false; // of CDN-Cache-Control (RFC 9213)
};
Directives response_directives(const FieldLines& lines, const House& house);
Directives request_directives(const FieldLines& lines, const House& house); // a bare max-stale is a flag

Directives honoured(const Directives& asked, const House& house);

enum class Source : uint8_t { none, s_maxage, max_age, expires, guess, route, negative };
struct Life {
  Millisecond initial_age = 0; // section 4.2.3
  Second lifetime = 0;         // section 4.2.1, 4.2.2
  Source source = Source::none;
  bool always_validate = false;                          // section 5.2.2.4
  bool never_stale = false;                              // section 4.2.4
  bool immutable = false;                                // RFC 8246
  Second stale_while_revalidate = 0, stale_if_error = 0; // RFC 5861
};
Life life_of(const Message& response, Millisecond sent, Millisecond came, const House& house);
Millisecond age_at(const Life& life, Millisecond came, Millisecond now); // section 4.2.3

enum class Reuse : uint8_t { fresh, stale, validate };
Reuse reuse(const Life& life, Millisecond age, const Directives& request, const House& house); // sections 4 and 5.2.1
bool reuse_on_error(const Life& life, Millisecond age, bool origin_answered);                  // 4.2.4, RFC 5861

// Section 3: every reason not to store, in the words of Cache-Status; none: it is stored.
std::set<Text> reasons_not_to_store(const Message& request, const Message& response, const Life& life,
                                    const House& house);
FieldLines kept_fields(const FieldLines& response, const House& house); // section 3.1

bool identifies(const FieldLines& stored, const FieldLines& not_modified);                        // section 4.3.4
FieldLines updated(const FieldLines& stored, const FieldLines& not_modified, const House& house); // section 3.2

// A part of a body, as Content-Range tells it; none unless that is one valid range (RFC 9110 section 14.4).
struct PartOf {
  uint64_t first = 0, last = 0;
  std::optional<uint64_t> complete;
};
std::optional<PartOf> part_of(const FieldLines& lines);
struct Asked {
  std::optional<uint64_t> first, last; // without first: the last octets
};
bool part_is_kept(const Message& response, const Asked& asked);              // section 3.3
bool may_combine(const FieldLines& a, const FieldLines& b, Millisecond now); // section 3.4
// What a part answers to a Range; none: the origin must be asked (section 3.3).
std::optional<Octets> octets_of_part(const FieldLines& request, const FieldLines& stored, const PartOf& part,
                                     size_t most_ranges, Millisecond now);

// Section 4.1: the fields of Vary, none when a "*" is among them.
std::optional<std::set<Text>> varies_by(const FieldLines& response);
enum class Match : uint8_t { must_not, may, must };
// Do two requests share a response that varies by `field`? `may`: the RFC leaves it to normalisation.
Match same_variant(const Text& field, const FieldLines& a, const FieldLines& b);
// RFC 9110 section 12.5.3: is a representation in this coding acceptable? `in_doubt`: where one member names
// identity and another refuses it.
bool accepts_coding(const FieldLines& request, const Text& coding, bool in_doubt = false);

} // namespace verge::model
