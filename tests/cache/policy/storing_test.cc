#include "cache/policy/storing.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cache/policy/values.h"

namespace verge::policy {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

StoreVerdict verdict(const http::ResponseHead& response, const http::RequestHead& request = get_with(),
                     const Rules& rules = {}) {
  return may_store(request, response, fresh_at_once(response, rules), rules);
}
StoreVerdict verdict_of(std::string_view cache_control, int status = 200) {
  return verdict(answer(status, {{"cache-control", cache_control}}));
}

TEST(MayStore, AFreshAnswerToGet) { EXPECT_EQ(verdict_of("max-age=60"), StoreVerdict::store); }

TEST(MayStore, OnlyGet) {
  for (const char* method : {"HEAD", "POST", "PUT", "DELETE", "OPTIONS", "M-SEARCH", "get"}) {
    auto request = get_with();
    request.method = method;
    EXPECT_EQ(verdict(answer(200, {{"cache-control", "max-age=60"}}), request), StoreVerdict::method) << method;
  }
}

TEST(MayStore, NotWhereTheRouteSaysOff) {
  Rules rules;
  rules.enabled = false;
  EXPECT_EQ(verdict(answer(200, {{"cache-control", "max-age=60"}}), get_with(), rules), StoreVerdict::route_off);
}

TEST(MayStore, AnyFinalStatusWithAnExplicitLifetime) {
  const std::string expires = date_at(100s);
  for (const int status : {200, 201, 203, 204, 299, 300, 301, 302, 303, 307, 308, 400, 403,
                           404, 405, 410, 414, 451, 499, 500, 501, 502, 503, 504, 599}) {
    EXPECT_EQ(verdict_of("max-age=60", status), StoreVerdict::store) << status;
    EXPECT_EQ(verdict(answer(status, {{"date", kNowText}, {"expires", expires}})), StoreVerdict::store) << status;
  }
}

TEST(MayStore, NoInterimStatusAndNoneThatAnswersTheRequestItself) {
  for (const int status : {100, 103, 199, 304, 407, 408, 412, 416, 417, 421, 425, 428, 429, 431, 511}) {
    EXPECT_EQ(verdict_of("max-age=60", status), StoreVerdict::status_not_cacheable) << status;
  }
}

TEST(MayStore, NoPartOfABodyAsTheWhole) { EXPECT_EQ(verdict_of("max-age=60", 206), StoreVerdict::partial_content); }

TEST(MayStore, WithoutExplicitLifetimeOnlyWhatMayBeGuessed) {
  const std::string modified = date_at(-24h);
  for (const int status : {200, 203, 204, 300, 301, 308, 404, 405, 410, 414}) {
    EXPECT_EQ(verdict(answer(status, {{"date", kNowText}, {"last-modified", modified}})), StoreVerdict::store)
        << status;
  }
  for (const int status : {201, 202, 302, 303, 307, 400, 403, 500, 501, 502, 503, 504, 599}) {
    EXPECT_EQ(verdict(answer(status, {{"date", kNowText}, {"last-modified", modified}})),
              StoreVerdict::status_not_cacheable)
        << status;
  }
}

TEST(MayStore, AValidatorAloneIsNoGround) {
  EXPECT_EQ(verdict(answer(200, {{"etag", "\"a\""}})), StoreVerdict::no_freshness);
  EXPECT_EQ(verdict(answer(200, {{"last-modified", kNowText}})), StoreVerdict::no_freshness);
  EXPECT_EQ(verdict(answer(200, {{"etag", "\"a\""}, {"cache-control", "public"}})), StoreVerdict::no_freshness);
  EXPECT_EQ(verdict(answer(200)), StoreVerdict::no_freshness);
}

TEST(MayStore, NotAgainstNoStoreWhateverStandsBesideIt) {
  const std::string expires = date_at(10'000s);
  for (const std::string_view d : {"no-store", "No-StOrE", "max-age=10000, no-store", "no-store, max-age=10000",
                                   "public, s-maxage=10000, no-store"}) {
    EXPECT_EQ(verdict(answer(200, {{"cache-control", d}, {"date", kNowText}, {"expires", expires}})),
              StoreVerdict::no_store)
        << d;
  }
}

TEST(MayStore, NotAgainstPrivateWhateverStandsBesideIt) {
  for (const std::string_view d : {"private", "private, max-age=3600", "s-maxage=3600, private, public"}) {
    EXPECT_EQ(verdict_of(d), StoreVerdict::private_response) << d;
  }
}

TEST(MayStore, PrivateWithFieldNamesOnlyForbidsThoseFields) {
  EXPECT_EQ(verdict_of("private=\"x-user\", max-age=60"), StoreVerdict::store);
}

TEST(MayStore, MustUnderstandSetsNoStoreAsideForAStatusWeKnow) {
  EXPECT_EQ(verdict_of("must-understand, no-store, max-age=60", 200), StoreVerdict::store);
  EXPECT_EQ(verdict_of("must-understand, no-store, max-age=60", 599), StoreVerdict::status_not_cacheable);
}

TEST(MayStore, MustUnderstandForbidsAStatusWeDoNotKnow) {
  EXPECT_EQ(verdict_of("max-age=3600, must-understand", 599), StoreVerdict::status_not_cacheable);
  EXPECT_EQ(verdict_of("max-age=3600, must-understand", 404), StoreVerdict::store);
}

TEST(MayStore, NotWhenTheRequestSaysNoStore) {
  const auto request = get_with({{"cache-control", "no-store"}});
  EXPECT_EQ(verdict(answer(200, {{"cache-control", "max-age=60"}}), request), StoreVerdict::request_no_store);
  Rules rules;
  rules.honoured.no_store = false;
  EXPECT_EQ(verdict(answer(200, {{"cache-control", "max-age=60"}}), request, rules), StoreVerdict::store);
}

TEST(MayStore, AnAnswerToAuthorizationOnlyWithPublicMustRevalidateOrSMaxage) {
  const auto request = get_with({{"authorization", "Basic Zm9v"}});
  for (const std::string_view d :
       {"max-age=60", "max-age=60, proxy-revalidate", "no-cache, max-age=60", "immutable, max-age=60"}) {
    EXPECT_EQ(verdict(answer(200, {{"cache-control", d}, {"etag", "\"a\""}}), request), StoreVerdict::authorization)
        << d;
  }
  for (const std::string_view d : {"max-age=60, public", "max-age=60, must-revalidate", "s-maxage=60"}) {
    EXPECT_EQ(verdict(answer(200, {{"cache-control", d}}), request), StoreVerdict::store) << d;
  }
}

TEST(MayStore, TheRoutesDefaultDoesNotOpenAnswersToAuthorization) {
  Rules rules;
  rules.ttl_default = 60s;
  EXPECT_EQ(verdict(answer(200), get_with({{"authorization", "x"}}), rules), StoreVerdict::authorization);
}

TEST(MayStore, ACookieInTheRequestDoesNotMatter) {
  EXPECT_EQ(verdict(answer(200, {{"cache-control", "max-age=60"}}), get_with({{"cookie", "a=b"}})),
            StoreVerdict::store);
}

TEST(MayStore, SetCookieOnlyWhereTheRouteSaysSo) {
  const auto response = answer(200, {{"cache-control", "max-age=60"}, {"set-cookie", "a=b"}});
  EXPECT_EQ(verdict(response), StoreVerdict::set_cookie);
  Rules rules;
  rules.store_set_cookie = true;
  EXPECT_EQ(verdict(response, get_with(), rules), StoreVerdict::store);
}

TEST(MayStore, SetCookieNeverOnAGuessedLifetime) {
  const std::string modified = date_at(-1000s);
  Rules rules;
  rules.store_set_cookie = true;
  EXPECT_EQ(
      verdict(answer(200, {{"date", kNowText}, {"last-modified", modified}, {"set-cookie", "a=b"}}), get_with(), rules),
      StoreVerdict::set_cookie);
}

TEST(MayStore, ASetCookieThatIsNotKeptDoesNotMatter) {
  for (const std::string_view d : {"max-age=60, private=\"set-cookie\"", "max-age=60, no-cache=\"Set-Cookie\""}) {
    const auto response = answer(200, {{"cache-control", d}, {"set-cookie", "a=b"}});
    EXPECT_EQ(verdict(response), StoreVerdict::store) << d;
    EXPECT_FALSE(storable_headers(response, {}).has("set-cookie")) << d;
  }
}

TEST(MayStore, NotWithVaryStarInAnyMemberOfAnyLine) {
  for (const std::string_view v : {"*", "*, *", ", *", "*, foo", "foo, *"}) {
    EXPECT_EQ(verdict(answer(200, {{"cache-control", "max-age=60"}, {"vary", v}})), StoreVerdict::vary_star) << v;
  }
  EXPECT_EQ(verdict(answer(200, {{"cache-control", "max-age=60"}, {"vary", ""}, {"vary", "*"}})),
            StoreVerdict::vary_star);
  EXPECT_EQ(verdict(answer(200, {{"cache-control", "max-age=60"}, {"vary", "foo"}})), StoreVerdict::store);
}

TEST(MayStore, NoLifetimeOnlyWithAValidatorToAskBy) {
  const std::string past = date_at(-100s);
  EXPECT_EQ(verdict_of("max-age=0"), StoreVerdict::no_lifetime_left);
  EXPECT_EQ(verdict(answer(200, {{"date", kNowText}, {"expires", past}})), StoreVerdict::no_lifetime_left);
  EXPECT_EQ(verdict(answer(200, {{"cache-control", "max-age=0"}, {"etag", "\"a\""}})), StoreVerdict::store);
  EXPECT_EQ(verdict(answer(200, {{"expires", "0"}, {"last-modified", past}})), StoreVerdict::store);
}

TEST(MayStore, ALifetimeThatAgeHasUsedUpIsNone) {
  EXPECT_EQ(verdict(answer(200, {{"cache-control", "max-age=3600"}, {"age", "7200"}})), StoreVerdict::no_lifetime_left);
}

TEST(MayStore, NoCacheOnlyWithAValidatorToAskBy) {
  EXPECT_EQ(verdict(answer(200, {{"cache-control", "no-cache"}, {"etag", "\"a\""}})), StoreVerdict::store);
  EXPECT_EQ(verdict(answer(200, {{"cache-control", "no-cache, max-age=60"}, {"etag", "\"a\""}})), StoreVerdict::store);
  EXPECT_EQ(verdict_of("no-cache"), StoreVerdict::no_lifetime_left);
  EXPECT_EQ(verdict_of("no-cache, max-age=60"), StoreVerdict::no_lifetime_left);
  EXPECT_EQ(verdict(answer(500, {{"cache-control", "no-cache"}, {"etag", "\"a\""}})),
            StoreVerdict::status_not_cacheable);
}

TEST(MayStore, NoLifetimeButAWindowToServeStaleIn) {
  EXPECT_EQ(verdict_of("max-age=0, stale-while-revalidate=60"), StoreVerdict::store);
  EXPECT_EQ(verdict_of("max-age=0, stale-if-error=60"), StoreVerdict::store);
  EXPECT_EQ(verdict_of("max-age=0, must-revalidate, stale-if-error=60"), StoreVerdict::no_lifetime_left);
}

TEST(MayStore, NoBodyThatIsDeclaredTooLarge) {
  Rules rules;
  rules.max_object = 100;
  auto response = answer(200, {{"cache-control", "max-age=60"}});
  response.content_length = 100;
  EXPECT_EQ(verdict(response, get_with(), rules), StoreVerdict::store);
  response.content_length = 101;
  EXPECT_EQ(verdict(response, get_with(), rules), StoreVerdict::too_large);
}

TEST(MayStore, CdnCacheControlDecidesInTheStead) { // RFC 9213
  EXPECT_EQ(verdict(answer(200, {{"cdn-cache-control", "max-age=60"}, {"cache-control", "no-store"}})),
            StoreVerdict::store);
  EXPECT_EQ(verdict(answer(200, {{"cdn-cache-control", "no-store"}, {"cache-control", "max-age=60"}})),
            StoreVerdict::no_store);
  EXPECT_EQ(verdict(answer(200, {{"cdn-cache-control", "max-age=\"10000\""}, {"cache-control", "no-store"}})),
            StoreVerdict::no_freshness);
}

TEST(StoreVerdict, EachHasItsOwnWord) {
  std::set<std::string_view> words;
  const int last = static_cast<int>(StoreVerdict::invalidated);
  for (int v = 0; v <= last; ++v) words.insert(to_string(static_cast<StoreVerdict>(v)));
  EXPECT_THAT(words, SizeIs(last + 1));
  EXPECT_FALSE(words.contains("unknown"));
  EXPECT_EQ(to_string(StoreVerdict::set_cookie), "set-cookie");
  EXPECT_EQ(to_string(StoreVerdict::private_response), "private");
}

TEST(StorableHeaders, KeepWhatIsForEveryHop) {
  const auto kept = storable_headers(answer(200, {{"content-type", "text/plain"}, {"x-a", "1"}, {"x-a", "2"}}), {});
  EXPECT_EQ(kept.size(), 3u);
  EXPECT_EQ(kept.joined("x-a"), "1, 2");
}

TEST(StorableHeaders, DropWhatIsForOneHop) {
  const auto kept = storable_headers(answer(200, {{"connection", "x-hop, keep-alive"},
                                                  {"x-hop", "1"},
                                                  {"keep-alive", "timeout=5"},
                                                  {"proxy-connection", "close"},
                                                  {"proxy-authenticate", "Basic"},
                                                  {"proxy-authentication-info", "x"},
                                                  {"proxy-authorization", "x"},
                                                  {"te", "trailers"},
                                                  {"trailer", "x"},
                                                  {"transfer-encoding", "chunked"},
                                                  {"upgrade", "h2c"},
                                                  {"age", "10"},
                                                  {"x-end", "1"}}),
                                     {});
  EXPECT_EQ(kept.size(), 1u);
  EXPECT_TRUE(kept.has("x-end"));
}

TEST(StorableHeaders, DropFieldsThatNoCacheOrPrivateName) {
  const auto kept = storable_headers(answer(200, {{"cache-control", "no-cache=\"a, B\", private=\"c\", max-age=9"},
                                                  {"a", "1"},
                                                  {"b", "1"},
                                                  {"c", "1"},
                                                  {"d", "1"}}),
                                     {});
  EXPECT_FALSE(kept.has("a") || kept.has("b") || kept.has("c"));
  EXPECT_TRUE(kept.has("d"));
  EXPECT_TRUE(kept.has("cache-control"));
}

TEST(ResponseTags, ComeFromTheRouteAndFromEachTagHeader) {
  Rules rules;
  rules.tags = {"site"};
  EXPECT_THAT(response_tags(headers_of({{"cache-tag", "a , b,,c"}, {"surrogate-key", "d  e"}, {"x", "no"}}), rules),
              ElementsAre("site", "d", "e", "a", "b", "c"));
}

TEST(ResponseTags, AreLowerCaseWithoutDoubles) {
  EXPECT_THAT(response_tags(headers_of({{"cache-tag", "Home,home"}, {"cache-tag", "HOME,x"}}), {}),
              ElementsAre("home", "x"));
}

TEST(ResponseTags, ThatAreNoVisibleAsciiOrTooLongAreLeftOut) {
  const std::string long_tag(257, 'a'), longest(256, 'b');
  EXPECT_THAT(response_tags(headers_of({{"cache-tag", "two words,caf\xc3\xa9,a\tb," + long_tag + "," + longest}}), {}),
              ElementsAre(longest));
}

TEST(ResponseTags, AreAtMostFifty) {
  std::string many;
  for (int i = 0; i < 60; ++i) many += "t" + std::to_string(i) + " ";
  EXPECT_THAT(response_tags(headers_of({{"surrogate-key", many}}), {}), SizeIs(50));
}

TEST(ResponseTags, AreNoneWithoutTagHeaders) { EXPECT_THAT(response_tags(headers_of({{"x", "y"}}), {}), IsEmpty()); }

TEST(ResponseTags, AreSeparatedAsTheRulesSay) {
  Rules rules;
  rules.tag_headers = {{"xkey", ' '}, {"edge-cache-tag", ','}};
  EXPECT_THAT(response_tags(headers_of({{"xkey", "a b"}, {"edge-cache-tag", "c,d"}, {"surrogate-key", "no"}}), rules),
              ElementsAre("a", "b", "c", "d"));
}

// Errors with a lifetime from the rules are kept, and only where nothing forbids it.

TEST(MayStore, AnErrorWithANegativeTtlIsKept) {
  Rules rules;
  rules.negative = {{404, 10s}, {5, 1s}};
  for (const int status : {404, 500, 503, 599}) {
    const auto response = answer(status);
    EXPECT_EQ(may_store(get_with(), response, fresh_at_once(response, rules), rules), StoreVerdict::store) << status;
  }
  const auto none = answer(403);
  EXPECT_EQ(may_store(get_with(), none, fresh_at_once(none, rules), rules), StoreVerdict::status_not_cacheable);
}

TEST(MayStore, ANegativeTtlOverrulesNoneOfTheOriginsRefusals) {
  Rules rules;
  rules.negative = {{404, 10s}, {4, 10s}};
  const auto verdict = [&](const http::RequestHead& request, const http::ResponseHead& response) {
    return may_store(request, response, fresh_at_once(response, rules), rules);
  };
  EXPECT_EQ(verdict(get_with(), answer(404, {{"cache-control", "no-store"}})), StoreVerdict::no_store);
  EXPECT_EQ(verdict(get_with(), answer(404, {{"cache-control", "private"}})), StoreVerdict::private_response);
  EXPECT_EQ(verdict(get_with(), answer(404, {{"cache-control", "no-cache"}})), StoreVerdict::no_lifetime_left);
  EXPECT_EQ(verdict(get_with({{"authorization", "x"}}), answer(404)), StoreVerdict::authorization);
  EXPECT_EQ(verdict(get_with(), answer(404, {{"set-cookie", "a=b"}})), StoreVerdict::set_cookie);
  EXPECT_EQ(verdict(get_with(), answer(404, {{"vary", "*"}})), StoreVerdict::vary_star);
  EXPECT_EQ(verdict(get_with(), answer(429)), StoreVerdict::status_not_cacheable);
}

TEST(MayStore, ANegativeTtlOfNothingKeepsNothing) {
  Rules rules;
  rules.negative = {{404, 0s}};
  const auto response = answer(404, {{"last-modified", date_at(-100'000s)}});
  EXPECT_NE(may_store(get_with(), answer(404), fresh_at_once(answer(404), rules), rules), StoreVerdict::store);
  EXPECT_EQ(fresh_at_once(response, rules).lifetime, 0s);
}

// What spoke to us alone.

TEST(ControlFields, AreTakenOutOfWhatIsServedAndGivenBack) {
  auto headers = headers_of({{"surrogate-key", "a b"},
                             {"content-type", "text/plain"},
                             {"cache-tag", "c"},
                             {"surrogate-control", "max-age=5"},
                             {"verge-cache-control", "max-age=5"},
                             {"x-amz-meta-cache-tag", "d"},
                             {"cdn-cache-control", "max-age=9"},
                             {"cache-groups", "\"g\""}});
  const auto control = take_control_fields(headers, {});
  EXPECT_EQ(control.size(), 5u);
  EXPECT_EQ(control.get("surrogate-key"), "a b");
  EXPECT_EQ(headers.size(), 3u);
  EXPECT_TRUE(headers.has("cdn-cache-control")); // other CDNs on the way may obey it (RFC 9213 section 2.1)
  EXPECT_TRUE(headers.has("cache-groups"));      // a client's own cache has use for it
}

TEST(ControlFields, AreWhatTheRulesSay) {
  Rules rules;
  rules.strip = {"cdn-cache-control"};
  auto headers = headers_of({{"surrogate-key", "a"}, {"cdn-cache-control", "max-age=9"}});
  EXPECT_EQ(take_control_fields(headers, rules).size(), 1u);
  EXPECT_TRUE(headers.has("surrogate-key"));
  rules.strip = {};
  EXPECT_TRUE(take_control_fields(headers, rules).empty());
}

TEST(ControlFields, WarningIsDropped) { // RFC 9111 section 5.5
  auto headers = headers_of({{"warning", "110 - \"Response is Stale\""}, {"a", "1"}});
  EXPECT_TRUE(take_control_fields(headers, {}).empty());
  EXPECT_EQ(headers.size(), 1u);
}

TEST(FirstAnswerFields, AreThoseThatTheStoreMustNotKeep) { // RFC 9111 sections 5.2.2.4, 5.2.2.7
  const auto response =
      answer(200, {{"cache-control", "private=\"set-cookie, connection\", no-cache=\"x-a\", max-age=9"},
                   {"connection", "close"},
                   {"set-cookie", "a=1"},
                   {"set-cookie", "b=2"},
                   {"x-a", "1"},
                   {"x-b", "1"}});
  const auto first = first_answer_fields(response, {});
  EXPECT_EQ(first.size(), 3u);
  EXPECT_EQ(first.count("set-cookie"), 2u);
  EXPECT_TRUE(first.has("x-a"));
  EXPECT_TRUE(first_answer_fields(answer(200, {{"cache-control", "private"}, {"a", "1"}}), {}).empty());
}

TEST(Storing, AnswersToQueryAndPostOnlyWhereTheRouteSaysSo) {
  http::RequestHead request;
  http::ResponseHead response;
  response.status = 200;
  response.headers.add("cache-control", "max-age=60");
  const auto verdict = [&](std::string_view method, const Rules& rules) {
    request.method = method;
    const auto f = freshness(response, WallTime(Seconds(1)), WallTime(Seconds(1)), rules);
    return may_store(request, response, f, rules);
  };
  Rules rules;
  EXPECT_EQ(verdict("QUERY", rules), StoreVerdict::method);
  EXPECT_EQ(verdict("POST", rules), StoreVerdict::method);
  rules.query = true;
  EXPECT_EQ(verdict("QUERY", rules), StoreVerdict::store);
  EXPECT_EQ(verdict("POST", rules), StoreVerdict::method);
  rules.post = true;
  EXPECT_EQ(verdict("POST", rules), StoreVerdict::store);
  EXPECT_EQ(verdict("PUT", rules), StoreVerdict::method);
  // RFC 9110 section 9.3.3: explicit freshness.
  response.headers.set("cache-control", "public");
  response.headers.add("last-modified", "Mon, 01 Jan 1968 00:00:00 GMT");
  EXPECT_EQ(verdict("POST", rules), StoreVerdict::no_freshness);
}

TEST(ForbidsStoring, NeedsNoLifetimeToSaySo) {
  const auto forbids = [](std::string_view cache_control, int status = 200) {
    const auto response = answer(status, {{"cache-control", cache_control}});
    return forbids_storing(get_with(), response, response_directives(response.headers, {}), {});
  };
  EXPECT_EQ(forbids("no-store"), StoreVerdict::no_store);
  EXPECT_EQ(forbids("private, max-age=60"), StoreVerdict::private_response);
  EXPECT_EQ(forbids("max-age=60", 206), StoreVerdict::partial_content);
  EXPECT_EQ(forbids("max-age=60", 429), StoreVerdict::status_not_cacheable);
  EXPECT_EQ(forbids("max-age=60"), StoreVerdict::store);
  EXPECT_EQ(forbids("max-age=0"), StoreVerdict::store) << "what hangs on a lifetime is may_store()'s to say";
}

} // namespace
} // namespace verge::policy
