// What must hold for every combination of fields, tried on many made from a fixed seed.
#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "cache/policy/key.h"
#include "cache/policy/range.h"
#include "cache/policy/storing.h"
#include "cache/policy/validation.h"
#include "cache/policy/vary.h"
#include "tests/cache/policy/values.h"

namespace verge::policy {
namespace {

using namespace std::chrono_literals;

class Dice {
 public:
  explicit Dice(uint32_t seed) : engine_(seed) {}
  size_t below(size_t n) { return std::uniform_int_distribution<size_t>{0, n - 1}(engine_); }
  bool one_in(size_t n) { return below(n) == 0; }
  template <class T, size_t N>
  const T& of(const T (&choices)[N]) {
    return choices[below(N)];
  }
  // Octets from `alphabet`.
  std::string text(std::string_view alphabet, size_t most) {
    std::string out;
    for (size_t n = below(most + 1); n > 0; --n) out += alphabet[below(alphabet.size())];
    return out;
  }
  template <class T>
  void shuffle(T& list) {
    std::ranges::shuffle(list, engine_);
  }

 private:
  std::mt19937 engine_;
};

constexpr std::string_view kDirectives[] = {"no-store",
                                            "no-cache",
                                            "private",
                                            "public",
                                            "must-revalidate",
                                            "proxy-revalidate",
                                            "must-understand",
                                            "immutable",
                                            "max-age=0",
                                            "max-age=60",
                                            "max-age=x",
                                            "s-maxage=0",
                                            "s-maxage=30",
                                            "stale-while-revalidate=10",
                                            "stale-if-error=20",
                                            "private=\"a\"",
                                            "no-cache=\"b, set-cookie\"",
                                            "ext=\"no-store, x\""};
constexpr int kStatuses[] = {200, 203, 204, 206, 301, 302, 304, 404, 416, 429, 500, 503, 599};

std::vector<std::string_view> some_directives(Dice& dice) {
  std::vector<std::string_view> out;
  for (size_t n = dice.below(5); n > 0; --n) out.push_back(dice.of(kDirectives));
  return out;
}
bool has(const std::vector<std::string_view>& list, std::string_view word) {
  return std::ranges::find(list, word) != list.end();
}

// The same directives in one line or several, with other case and white space.
void add_directives(http::ResponseHead& response, const std::vector<std::string_view>& directives, Dice& dice) {
  std::string line;
  const auto flush = [&] {
    if (!line.empty()) response.headers.add("cache-control", line);
    line.clear();
  };
  for (const std::string_view d : directives) {
    if (!line.empty()) line += dice.one_in(2) ? "," : " ,\t";
    for (const char c : d) line += dice.one_in(2) && c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    if (dice.one_in(3)) flush();
  }
  flush();
}

http::ResponseHead some_answer(Dice& dice, const std::vector<std::string_view>& directives) {
  auto response = answer(dice.of(kStatuses));
  add_directives(response, directives, dice);
  if (dice.one_in(2)) response.headers.add("date", dice.one_in(4) ? "x" : date_at(Seconds{dice.below(200)} - 100s));
  if (dice.one_in(3)) response.headers.add("expires", dice.one_in(4) ? "0" : date_at(Seconds{dice.below(400)} - 200s));
  if (dice.one_in(3)) response.headers.add("last-modified", date_at(-Seconds{dice.below(100'000)}));
  if (dice.one_in(3)) response.headers.add("etag", "\"a\"");
  if (dice.one_in(4)) response.headers.add("age", std::to_string(dice.below(100)));
  if (dice.one_in(6)) response.headers.add("set-cookie", "a=b");
  if (dice.one_in(6)) response.headers.add("vary", dice.one_in(2) ? "*" : "foo");
  return response;
}

Rules some_rules(Dice& dice) {
  Rules rules;
  if (dice.one_in(3)) rules.ttl_default = 45s;
  if (dice.one_in(4)) rules.ttl_min = 20s;
  if (dice.one_in(4)) rules.ttl_max = 25s;
  if (dice.one_in(4)) rules.store_set_cookie = true;
  if (dice.one_in(4)) rules.stale_while_revalidate = 15s;
  if (dice.one_in(4)) rules.stale_if_error = 15s;
  return rules;
}

TEST(Property, WhatAnOriginForbidsIsNeverStoredWhateverStandsBesideIt) {
  Dice dice{1};
  size_t stored = 0;
  for (int i = 0; i < 50'000; ++i) {
    const auto directives = some_directives(dice);
    const auto response = some_answer(dice, directives);
    const auto rules = some_rules(dice);
    const bool secret = dice.one_in(4);
    const auto request = secret ? get_with({{"authorization", "x"}}) : get_with();
    if (may_store(request, response, fresh_at_once(response, rules), rules) != StoreVerdict::store) continue;
    ++stored;
    EXPECT_FALSE(has(directives, "private"));
    EXPECT_FALSE(has(directives, "no-store") && !has(directives, "must-understand"));
    EXPECT_NE(response.headers.get("vary"), "*");
    EXPECT_TRUE(response.status != 206 && response.status != 304 && response.status != 416 && response.status != 429);
    if (secret) {
      EXPECT_TRUE(has(directives, "public") || has(directives, "must-revalidate") || has(directives, "s-maxage=0") ||
                  has(directives, "s-maxage=30"));
    }
    const auto kept = storable_headers(response, {});
    EXPECT_TRUE(!kept.has("set-cookie") || rules.store_set_cookie);
    EXPECT_FALSE(kept.has("age"));
  }
  EXPECT_GT(stored, 1000u);
}

TEST(Property, OrderCaseLinesAndWhiteSpaceOfDirectivesDoNotMatter) {
  Dice dice{2};
  for (int i = 0; i < 20'000; ++i) {
    auto directives = some_directives(dice);
    auto a = answer(200), b = answer(200);
    add_directives(a, directives, dice);
    dice.shuffle(directives);
    add_directives(b, directives, dice);
    const auto fa = fresh_at_once(a), fb = fresh_at_once(b);
    EXPECT_EQ(fa.lifetime, fb.lifetime);
    EXPECT_EQ(fa.always_validate, fb.always_validate);
    EXPECT_EQ(fa.never_stale, fb.never_stale);
    EXPECT_EQ(fa.stale_while_revalidate, fb.stale_while_revalidate);
    EXPECT_EQ(fa.stale_if_error, fb.stale_if_error);
    EXPECT_EQ(may_store(get_with(), a, fa, {}), may_store(get_with(), b, fb, {}));
  }
}

TEST(Property, AResponseOnlyEverGetsLessUsable) {
  Dice dice{3};
  constexpr std::string_view kRequests[] = {"", "max-age=20", "min-fresh=10", "max-stale=5", "max-stale", "no-cache"};
  for (int i = 0; i < 5'000; ++i) {
    const auto response = some_answer(dice, some_directives(dice));
    const auto rules = some_rules(dice);
    const auto f = fresh_at_once(response, rules);
    EXPECT_LE(f.lifetime, rules.ttl_max);
    EXPECT_GE(f.lifetime, 0s);
    EXPECT_GE(f.initial_age, 0s);
    const auto request = request_directives(headers_of({{"cache-control", dice.of(kRequests)}}));
    auto last = Use::fresh;
    bool last_on_error = true;
    for (Seconds s = 0s; s < 100s; s += 1s) {
      const Millis age = current_age(f, kNow, kNow + s);
      const auto now = decide_use(f, age, request, rules);
      EXPECT_GE(now, last);
      last = now;
      EXPECT_TRUE(now != Use::fresh || age < f.lifetime);
      const bool on_error = may_serve_stale_on_error(f, age, false);
      EXPECT_TRUE(last_on_error || !on_error);
      EXPECT_TRUE(on_error || !may_serve_stale_on_error(f, age, true)); // an answer never allows more than silence
      last_on_error = on_error;
    }
  }
}

TEST(Property, RangesAreAscendingApartAndWithinTheBody) {
  Dice dice{4};
  size_t parts = 0;
  for (int i = 0; i < 50'000; ++i) {
    const uint64_t length = dice.below(50);
    const auto d = decide_range(headers_of({{"range", "bytes=" + dice.text("0123456789--,, ", 24)}}), {}, length, kNow);
    EXPECT_EQ(d.verdict == RangeVerdict::partial, !d.ranges.empty());
    for (size_t k = 0; k < d.ranges.size(); ++k) {
      ++parts;
      EXPECT_LE(d.ranges[k].first, d.ranges[k].last);
      EXPECT_LT(d.ranges[k].last, length);
      EXPECT_TRUE(k == 0 || d.ranges[k].first > d.ranges[k - 1].last + 1);
      const auto read = parse_content_range(content_range(d.ranges[k], length));
      EXPECT_TRUE(read && read->range.first == d.ranges[k].first && read->complete == length);
    }
  }
  EXPECT_GT(parts, 1000u);
}

TEST(Property, ANormalPathIsItsOwnNormalForm) {
  Dice dice{5};
  size_t good = 0;
  for (int i = 0; i < 50'000; ++i) {
    const auto path = normal_path("/" + dice.text("ab.././%2eE5cF~ \\?#", 16));
    if (!path) continue;
    ++good;
    EXPECT_TRUE(path->starts_with('/'));
    EXPECT_EQ(path->find("/../"), std::string::npos) << *path;
    EXPECT_FALSE(path->ends_with("/..")) << *path;
    EXPECT_EQ(normal_path(*path).value_or("an error"), *path);
  }
  EXPECT_GT(good, 1000u);
}

TEST(Property, HowLinesAreCutDoesNotChangeTheVaryKey) {
  Dice dice{6};
  for (const std::string_view name : {"foo", "accept-encoding", "accept-language"}) {
    for (int i = 0; i < 10'000; ++i) {
      http::Headers one, many;
      std::string line;
      for (size_t n = 1 + dice.below(5); n > 0; --n) {
        const std::string member = dice.text("abgz*", 4) + (dice.one_in(3) ? ";q=0." + dice.text("059", 3) : "");
        if (!line.empty()) line += " , ";
        line += member;
        many.add(name, member);
      }
      one.add(name, line);
      const std::vector<std::string> fields{std::string(name)};
      EXPECT_EQ(vary_key(fields, one), vary_key(fields, many)) << line;
    }
  }
}

TEST(Property, A304ThatFreshensLeavesAResponseThatItFreshensAgain) {
  Dice dice{7};
  constexpr std::string_view kTags[] = {"\"a\"", "W/\"a\"", "\"b\"", "W/\"b\"", "c"};
  const auto head = [&] {
    http::Headers out;
    if (dice.one_in(2)) out.add("etag", dice.of(kTags));
    if (dice.one_in(2)) out.add("last-modified", date_at(-Seconds{dice.below(2)}));
    if (dice.one_in(2)) out.add("content-type", dice.text("ab", 3));
    return out;
  };
  for (int i = 0; i < 20'000; ++i) {
    const auto stored = head(), not_modified = head();
    if (!freshens(stored, not_modified)) continue;
    const auto updated = freshened(stored, not_modified);
    EXPECT_TRUE(freshens(updated, not_modified));
    EXPECT_TRUE(!stored.has("etag") || weak_match(*stored.get("etag"), *updated.get("etag")));
    EXPECT_TRUE(!has_validator(stored) || has_validator(updated));
  }
}

TEST(Property, NoFieldValueBreaksAReader) {
  Dice dice{8};
  for (int i = 0; i < 50'000; ++i) {
    const std::string value = dice.text("\"\\,;=W/* ()?:@%-.0129abmaxgeno\x80", 24);
    const auto all = headers_of({{"cache-control", value},
                                 {"cdn-cache-control", value},
                                 {"vary", value},
                                 {"if-none-match", value},
                                 {"if-match", value},
                                 {"range", "bytes=" + value},
                                 {"expires", value},
                                 {"age", value},
                                 {"etag", value},
                                 {"accept-encoding", value},
                                 {"accept-language", value},
                                 {"cache-tag", value},
                                 {"cookie", value}});
    http::ResponseHead response{.status = 200, .headers = all, .content_length = {}};
    auto request = get_with();
    request.headers = all;
    (void)may_store(request, response, fresh_at_once(response), {});
    (void)storable_headers(response, {});
    (void)response_tags(all, {});
    (void)evaluate_preconditions(request, all, kNow);
    (void)decide_range(all, all, 100, kNow);
    (void)vary_fields(all);
    (void)vary_key({"accept-encoding", "accept-language", "cookie", "range"}, all);
    (void)parse_content_range(value);
    (void)parse_http_date(value, kNow);
    (void)normal_path("/" + value);
    (void)key_parts(value);
  }
}

} // namespace
} // namespace verge::policy
