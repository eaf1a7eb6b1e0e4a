#include "cache/policy/vary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cache/policy/values.h"

namespace verge::policy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

std::string key(std::vector<std::string> fields, Lines request) { return vary_key(fields, headers_of(request)); }

TEST(VaryFields, AreLowerCaseSortedWithoutDoubles) {
  EXPECT_THAT(vary_fields(headers_of({{"vary", "Foo, bar"}, {"x", "y"}, {"vary", "FOO,Baz"}})),
              Optional(ElementsAre("bar", "baz", "foo")));
}

TEST(VaryFields, AreNoneWithoutVaryOrWithAnEmptyOne) {
  EXPECT_THAT(vary_fields(headers_of({})), Optional(IsEmpty()));
  EXPECT_THAT(vary_fields(headers_of({{"vary", ""}})), Optional(IsEmpty()));
  EXPECT_THAT(vary_fields(headers_of({{"vary", " , ,"}})), Optional(IsEmpty()));
}

TEST(VaryFields, AStarInAnyMemberOfAnyLineNeverMatches) {
  for (const std::string_view v : {"*", "*, *", ", *", "*, Foo", "Foo, *", "Foo,*,Bar"}) {
    EXPECT_EQ(vary_fields(headers_of({{"vary", v}})), std::nullopt) << v;
  }
  EXPECT_EQ(vary_fields(headers_of({{"vary", "foo"}, {"vary", "*"}})), std::nullopt);
  EXPECT_EQ(vary_fields(headers_of({{"vary", ""}, {"vary", "*"}})), std::nullopt);
}

TEST(VaryKey, NoFieldsMakeNoText) { EXPECT_EQ(key({}, {{"foo", "1"}}), ""); }

TEST(VaryKey, TellsValuesApart) {
  EXPECT_EQ(key({"foo"}, {{"foo", "1"}}), key({"foo"}, {{"foo", "1"}, {"other", "2"}}));
  EXPECT_NE(key({"foo"}, {{"foo", "1"}}), key({"foo"}, {{"foo", "2"}}));
  EXPECT_NE(key({"bar", "foo"}, {{"foo", "1"}, {"bar", "a"}}), key({"bar", "foo"}, {{"foo", "1"}, {"bar", "b"}}));
  EXPECT_NE(key({"bar", "foo"}, {{"foo", "1"}}), key({"bar", "foo"}, {{"bar", "1"}}));
}

TEST(VaryKey, AbsenceMatchesOnlyAbsence) {
  EXPECT_EQ(key({"foo"}, {}), key({"foo"}, {{"bar", "1"}}));
  EXPECT_NE(key({"foo"}, {}), key({"foo"}, {{"foo", "1"}}));
  EXPECT_NE(key({"foo"}, {}), key({"foo"}, {{"foo", ""}}));
  EXPECT_NE(key({"foo"}, {}), key({"foo"}, {{"foo", "-"}}));
  EXPECT_NE(key({"accept-encoding"}, {}), key({"accept-encoding"}, {{"accept-encoding", ""}}));
  EXPECT_NE(key({"accept-language"}, {}), key({"accept-language"}, {{"accept-language", ""}}));
}

TEST(VaryKey, CombinesLinesAndDropsWhiteSpaceRoundCommas) {
  const auto want = key({"foo"}, {{"foo", "1, 2"}});
  EXPECT_EQ(key({"foo"}, {{"foo", "1"}, {"foo", "2"}}), want);
  EXPECT_EQ(key({"foo"}, {{"foo", "1,2"}}), want);
  EXPECT_EQ(key({"foo"}, {{"foo", "1 ,\t2"}}), want);
}

TEST(VaryKey, ChangesNothingElseInAFieldItDoesNotKnow) {
  EXPECT_NE(key({"foo"}, {{"foo", "1, 2"}}), key({"foo"}, {{"foo", "2, 1"}}));
  EXPECT_NE(key({"foo"}, {{"foo", "a"}}), key({"foo"}, {{"foo", "A"}}));
  EXPECT_NE(key({"foo"}, {{"foo", "a  b"}}), key({"foo"}, {{"foo", "a b"}}));
  EXPECT_NE(key({"foo"}, {{"foo", "\"a, b\""}}), key({"foo"}, {{"foo", "\"a,b\""}}));
}

TEST(VaryKey, CookieLinesAreJoinedAtSemicolons) {
  const auto want = key({"cookie"}, {{"cookie", "a=1; b=2,3"}});
  EXPECT_EQ(key({"cookie"}, {{"cookie", "a=1"}, {"cookie", "b=2,3"}}), want);
  EXPECT_NE(key({"cookie"}, {{"cookie", "a=1"}}), want);
  EXPECT_NE(key({"cookie"}, {{"cookie", "b=2,3; a=1"}}), want);
}

std::string codings(std::string_view accept_encoding) {
  return key({"accept-encoding"}, {{"accept-encoding", accept_encoding}});
}

TEST(VaryKey, AcceptEncodingIsTheSetOfAcceptableCodings) {
  const auto want = codings("gzip, deflate, br, zstd");
  EXPECT_EQ(codings("zstd,BR , deflate,gzip"), want);
  EXPECT_EQ(codings("br;q=1.0, gzip;q=0.8, deflate;q=0.1, zstd"), want);
  EXPECT_EQ(codings("gzip, deflate, br, zstd, identity"), want);
  EXPECT_EQ(codings("x-gzip, deflate, br, zstd"), want);
  EXPECT_EQ(codings("gzip, gzip, deflate, br, zstd"), want);
  EXPECT_NE(codings("gzip, deflate, br"), want);
}

TEST(VaryKey, ARefusedCodingIsNotInTheSet) {
  EXPECT_EQ(codings("gzip, br;q=0"), codings("gzip"));
  EXPECT_EQ(codings("gzip, br;q=0.000"), codings("gzip"));
  EXPECT_EQ(codings("br;q=0"), codings("identity"));
  EXPECT_EQ(codings(""), codings("identity"));
}

TEST(VaryKey, RefusingIdentityIsKept) {
  EXPECT_NE(codings("gzip"), codings("gzip, identity;q=0"));
  EXPECT_EQ(codings("gzip, *;q=0"), codings("gzip, identity;q=0"));
  EXPECT_EQ(codings("gzip, identity, *;q=0"), codings("gzip"));
}

TEST(VaryKey, AStarAcceptsAllThatIsNotRefused) {
  EXPECT_NE(codings("*"), codings("gzip"));
  EXPECT_NE(codings("*"), codings("*, gzip;q=0"));
  EXPECT_EQ(codings("*, gzip"), codings("*"));
  EXPECT_NE(codings("*"), codings("gzip, br, zstd, deflate"));
  EXPECT_NE(codings("*, foo;q=0"), codings("*"));
}

TEST(VaryKey, ClientsThatTakeCodingsWeDoNotKnowAreKeptApart) {
  EXPECT_NE(codings("gzip, dcb"), codings("gzip"));
  EXPECT_NE(codings("gzip, compress"), codings("gzip, dcb"));
}

std::string languages(std::string_view accept_language) {
  return key({"accept-language"}, {{"accept-language", accept_language}});
}

TEST(VaryKey, AcceptLanguageKnowsNoCaseNoSpacesAndNoOrder) {
  const auto want = languages("en, de");
  EXPECT_EQ(languages("de, en"), want);
  EXPECT_EQ(languages("eN, De"), want);
  EXPECT_EQ(languages(" en ,   de"), want);
  EXPECT_EQ(languages("en;q=1.0, de; q=1"), want);
}

TEST(VaryKey, AcceptLanguageKeepsWeights) {
  EXPECT_NE(languages("en, de;q=0.5"), languages("en, de"));
  EXPECT_NE(languages("en, de;q=0.5"), languages("en;q=0.5, de"));
  EXPECT_EQ(languages("en, de;q=0.5"), languages("de;Q=0.500,en"));
  EXPECT_NE(languages("en, de;q=0"), languages("en"));
  EXPECT_NE(languages("en;q=0.999"), languages("en"));
  EXPECT_NE(languages("en;q=x"), languages("en"));
}

} // namespace
} // namespace verge::policy
