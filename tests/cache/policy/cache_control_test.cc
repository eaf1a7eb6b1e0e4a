#include "cache/policy/cache_control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cache/policy/values.h"

namespace verge::policy {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

ResponseDirectives response_with(std::string_view cache_control) {
  return response_directives(headers_of({{"cache-control", cache_control}}), {});
}
RequestDirectives request_with(std::string_view cache_control) {
  return request_directives(headers_of({{"cache-control", cache_control}}));
}

TEST(ResponseDirectives, NamesKnowNoCase) {
  const auto d = response_with("MaX-aGe=3600, No-StOrE, PUBLIC");
  EXPECT_EQ(d.max_age, 3600s);
  EXPECT_TRUE(d.no_store);
  EXPECT_TRUE(d.public_);
}

TEST(ResponseDirectives, EveryFlagIsRead) {
  const auto d = response_with(
      "no-store,no-cache,private,public,must-revalidate,proxy-revalidate,must-understand,"
      "no-transform,immutable");
  EXPECT_TRUE(d.no_store && d.no_cache && d.private_ && d.public_ && d.must_revalidate && d.proxy_revalidate &&
              d.must_understand && d.no_transform && d.immutable);
  const auto none = response_with("foobar");
  EXPECT_FALSE(none.no_store || none.no_cache || none.private_ || none.public_ || none.must_revalidate ||
               none.proxy_revalidate || none.must_understand || none.no_transform || none.immutable);
}

TEST(ResponseDirectives, AFlagCountsThoughAnArgumentCameWithIt) {
  EXPECT_TRUE(response_with("no-store=yes").no_store);
  EXPECT_TRUE(response_with("no-store=\"x\"").no_store);
}

TEST(ResponseDirectives, AllLinesAreOneList) {
  const auto d = response_directives(
      headers_of({{"cache-control", "max-age=10"}, {"x", "y"}, {"cache-control", ""}, {"cache-control", "private"}}),
      {});
  EXPECT_EQ(d.max_age, 10s);
  EXPECT_TRUE(d.private_);
}

TEST(ResponseDirectives, UnknownOnesAreIgnored) {
  const auto d = response_with("foobar, community=\"UCI\", , max-age=3600");
  EXPECT_EQ(d.max_age, 3600s);
}

TEST(ResponseDirectives, SecondsAreReadQuotedOrNot) {
  EXPECT_EQ(response_with("max-age=3600").max_age, 3600s);
  EXPECT_EQ(response_with("max-age=\"3600\"").max_age, 3600s);
  EXPECT_EQ(response_with("max-age=003600").max_age, 3600s);
  EXPECT_EQ(response_with("s-maxage=\"5\"").s_maxage, 5s);
}

TEST(ResponseDirectives, ALifetimeThatIsNoNonNegativeIntegerIsStale) {
  for (const std::string_view value :
       {"max-age='3600'", "max-age=-3600", "max-age=3600.0", "max-age=3600.5", "max-age=a3600", "max-age=3600a",
        "max-age= 3600", "max-age=", "max-age", "max-age=\"\"", "max-age=+5", "max-age=0x10"}) {
    EXPECT_EQ(response_with(value).max_age, 0s) << value;
  }
  EXPECT_EQ(response_with("s-maxage=x").s_maxage, 0s);
}

TEST(ResponseDirectives, WhiteSpaceBeforeTheEqualsSignMakesAnotherName) {
  EXPECT_EQ(response_with("max-age =3600").max_age, std::nullopt);
}

TEST(ResponseDirectives, OfSeveralLifetimesTheLeastCounts) {
  EXPECT_EQ(response_with("max-age=7200, max-age=0").max_age, 0s);
  EXPECT_EQ(response_with("max-age=0, max-age=7200").max_age, 0s);
  EXPECT_EQ(response_with("max-age=10, max-age=x").max_age, 0s);
  EXPECT_EQ(response_with("s-maxage=7, s-maxage=9").s_maxage, 7s);
  EXPECT_EQ(
      response_directives(headers_of({{"cache-control", "max-age=1800"}, {"cache-control", "max-age=1"}}), {}).max_age,
      1s);
}

TEST(ResponseDirectives, WhatIsTooLargeIsCutAtTwoToTheThirtyFirst) {
  EXPECT_EQ(response_with("max-age=2147483647").max_age, 2147483647s);
  EXPECT_EQ(response_with("max-age=2147483648").max_age, 2147483648s);
  EXPECT_EQ(response_with("max-age=2147483649").max_age, 2147483648s);
  EXPECT_EQ(response_with("max-age=99999999999999999999999999999999999").max_age, 2147483648s);
}

TEST(ResponseDirectives, WhatStandsInQuotesIsNoDirective) {
  EXPECT_EQ(response_with("extension=\"max-age=3600\", max-age=1").max_age, 1s);
  EXPECT_EQ(response_with("max-age=1, extension=\"max-age=0\"").max_age, 1s);
  EXPECT_EQ(response_with("extension=\"a, max-age=3600, b\"").max_age, std::nullopt);
  EXPECT_FALSE(response_with("extension=\"\\\", no-store\"").no_store); // the inner quote is escaped
}

TEST(ResponseDirectives, AQuotedPairIsTheOctetBehindItsBackslash) {
  EXPECT_EQ(response_with("max-age=\"6\\0\"").max_age, 60s);
  EXPECT_EQ(response_with("max-age=\"60\\\"").max_age, 0s); // the quote is escaped, so the string never ends
  EXPECT_EQ(response_with("private=\"set\\-cookie\"").private_fields, std::vector<std::string>{"set-cookie"});
  EXPECT_EQ(request_with("min-fresh=\"6\\0\"").min_fresh, 60s);
}

TEST(ResponseDirectives, AQuoteThatIsNeverClosedHidesNothing) {
  EXPECT_TRUE(response_with("extension=\"x, no-store").no_store);
  EXPECT_TRUE(response_with("extension=\"x\\\", no-store").no_store);
  EXPECT_TRUE(response_with("no-store, a=\"\\").no_store);
}

TEST(ResponseDirectives, StaleWindowsAreReadAndWhatIsNoNumberIgnored) {
  const auto d = response_with("stale-while-revalidate=30, stale-if-error=600");
  EXPECT_EQ(d.stale_while_revalidate, 30s);
  EXPECT_EQ(d.stale_if_error, 600s);
  EXPECT_EQ(response_with("stale-while-revalidate=x").stale_while_revalidate, std::nullopt);
  EXPECT_EQ(response_with("stale-if-error").stale_if_error, std::nullopt);
}

TEST(ResponseDirectives, FieldNamesQualifyNoCacheAndPrivate) {
  const auto d = response_with("no-cache=\"A, b\", private=\"Set-Cookie\"");
  EXPECT_FALSE(d.no_cache);
  EXPECT_FALSE(d.private_);
  EXPECT_THAT(d.no_cache_fields, ElementsAre("a", "b"));
  EXPECT_THAT(d.private_fields, ElementsAre("set-cookie"));
}

TEST(ResponseDirectives, TheUnqualifiedFormBesideOneWithNamesCounts) {
  EXPECT_TRUE(response_with("no-cache=\"a\", no-cache").no_cache);
  EXPECT_TRUE(response_with("private, private=\"a\"").private_);
}

TEST(ResponseDirectives, AnArgumentThatNamesNoFieldsIsTakenAsNone) {
  EXPECT_TRUE(response_with("private=\"\"").private_);
  EXPECT_TRUE(response_with("private=\"a b\"").private_);
  EXPECT_TRUE(response_with("no-cache=").no_cache);
  EXPECT_THAT(response_with("no-cache=a").no_cache_fields, ElementsAre("a")); // a token, which senders should not
}

TEST(RequestDirectives, EveryDirectiveIsRead) {
  const auto d = request_with("no-cache, no-store, only-if-cached, max-age=1, min-fresh=2, max-stale=3");
  EXPECT_TRUE(d.no_cache && d.no_store && d.only_if_cached);
  EXPECT_EQ(d.max_age, 1s);
  EXPECT_EQ(d.min_fresh, 2s);
  EXPECT_EQ(d.max_stale, 3s);
  EXPECT_FALSE(d.max_stale_any);
}

TEST(RequestDirectives, MaxStaleAloneAcceptsAnyStaleness) {
  EXPECT_TRUE(request_with("max-stale").max_stale_any);
  EXPECT_FALSE(request_with("max-stale=x").max_stale_any);
}

TEST(RequestDirectives, TheStrictestOfDoublesCounts) {
  const auto d = request_with("max-age=9, max-age=4, min-fresh=9, min-fresh=4, max-stale=9, max-stale=4");
  EXPECT_EQ(d.max_age, 4s);
  EXPECT_EQ(d.min_fresh, 9s);
  EXPECT_EQ(d.max_stale, 4s);
}

TEST(RequestDirectives, WhatIsUnknownOrNoNumberIsIgnored) {
  const auto d = request_with("nothing-to-see-here, max-age=x, min-fresh=-1");
  EXPECT_EQ(d.max_age, std::nullopt);
  EXPECT_EQ(d.min_fresh, std::nullopt);
  EXPECT_FALSE(d.no_cache);
}

TEST(RequestDirectives, PragmaNoCacheCountsOnlyWithoutCacheControl) {
  EXPECT_TRUE(request_directives(headers_of({{"pragma", "foo, No-Cache"}})).no_cache);
  EXPECT_FALSE(request_directives(headers_of({{"pragma", "foo"}})).no_cache);
  EXPECT_FALSE(request_directives(headers_of({{"pragma", "no-cache"}, {"cache-control", "max-age=60"}})).no_cache);
  EXPECT_FALSE(request_directives(headers_of({{"cache-control", "x"}, {"pragma", "no-cache"}})).no_cache);
}

// RFC 9213.

ResponseDirectives targeted(std::string_view cdn, std::string_view cache_control = "no-store") {
  return response_directives(headers_of({{"cdn-cache-control", cdn}, {"cache-control", cache_control}}), {});
}

TEST(TargetedDirectives, ReplaceCacheControlAltogether) {
  const auto d = targeted("max-age=10000");
  EXPECT_TRUE(d.targeted);
  EXPECT_FALSE(d.no_store);
  EXPECT_EQ(d.max_age, 10000s);
  EXPECT_TRUE(targeted("no-store", "max-age=10000").no_store);
  EXPECT_TRUE(targeted("private", "max-age=10000").private_);
  EXPECT_TRUE(targeted("no-cache", "max-age=10000").no_cache);
  EXPECT_EQ(targeted("no-cache", "max-age=10000").max_age, std::nullopt);
}

TEST(TargetedDirectives, UnknownKeysAndParametersDoNotMatter) {
  EXPECT_EQ(targeted("foobar, max-age=3600;a=b;c, x=(1 \"two\" three;p=?1), y=:aGk=:, z=1.5, d=@1659578233").max_age,
            3600s);
}

TEST(TargetedDirectives, AFieldThatDoesNotParseIsAsIfItWereNotThere) {
  for (const std::string_view value : {"max-age=10000, &&&&&",
                                       "MaX-aGe=3600",
                                       "max-age =100",
                                       "max-age= 100",
                                       "max-age=100,",
                                       "max-age=",
                                       "max-age=-",
                                       "max-age=1234567890123456",
                                       "a=\"b",
                                       "a=\"\\x\"",
                                       "a=(1 2",
                                       "a=(1\t2)",
                                       "a=?2",
                                       "a=:b",
                                       "a=1.",
                                       "a=1.2345",
                                       "max-age=1 max-age=2",
                                       "1a",
                                       ",a",
                                       "a;",
                                       "a;B",
                                       "a=(1)x",
                                       "a=@1.5"}) {
    const auto d = targeted(value);
    EXPECT_FALSE(d.targeted) << value;
    EXPECT_TRUE(d.no_store) << value;
  }
}

TEST(TargetedDirectives, AnEmptyFieldIsAsIfItWereNotThere) {
  EXPECT_TRUE(targeted("").no_store);
  EXPECT_TRUE(targeted("   ").no_store);
}

TEST(TargetedDirectives, AMaxAgeOfAnotherTypeGivesNoLifetime) {
  for (const std::string_view value : {"max-age=\"10000\"", "max-age=1.5", "max-age", "max-age=-5", "max-age=abc"}) {
    const auto d = targeted(value);
    EXPECT_TRUE(d.targeted) << value;
    EXPECT_EQ(d.max_age, std::nullopt) << value;
  }
}

TEST(TargetedDirectives, OfDoublesTheLastCounts) { EXPECT_EQ(targeted("max-age=1, max-age=5").max_age, 5s); }

TEST(TargetedDirectives, AllLinesAreOneDictionary) {
  const auto d =
      response_directives(headers_of({{"cdn-cache-control", "max-age=5"}, {"cdn-cache-control", "public"}}), {});
  EXPECT_EQ(d.max_age, 5s);
  EXPECT_TRUE(d.public_);
}

TEST(TargetedDirectives, AFalseFlagIsOff) {
  const auto d = targeted("no-store=?0, private=?0, public=?0, max-age=5");
  EXPECT_FALSE(d.no_store || d.private_ || d.public_);
}

TEST(TargetedDirectives, AFlagThatForbidsCountsWhateverItsType) {
  EXPECT_TRUE(targeted("no-store=1").no_store);
  EXPECT_TRUE(targeted("private=abc").private_);
  EXPECT_TRUE(targeted("no-cache=(a b)").no_cache);
}

TEST(TargetedDirectives, AStringNamesFields) {
  const auto d = targeted("no-cache=\"A, b\", private=\"\"");
  EXPECT_FALSE(d.no_cache);
  EXPECT_THAT(d.no_cache_fields, ElementsAre("a", "b"));
  EXPECT_TRUE(d.private_);
  EXPECT_THAT(d.private_fields, IsEmpty());
}

TEST(TargetedDirectives, SecondsAreCutAtTwoToTheThirtyFirst) {
  EXPECT_EQ(targeted("max-age=99999999999").max_age, 2147483648s);
}

} // namespace
} // namespace verge::policy
