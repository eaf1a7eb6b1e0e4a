#include "cache/policy/validation.h"

#include <gtest/gtest.h>

#include "tests/cache/policy/values.h"

namespace verge::policy {
namespace {

using namespace std::chrono_literals;

Precondition evaluate(Lines request, Lines stored) {
  return evaluate_preconditions(get_with(request), headers_of(stored), kNow);
}

// RFC 9110 section 8.8.3.

TEST(EntityTag, IsStrongWithQuotesAndWithoutWeakness) {
  EXPECT_TRUE(is_strong_etag("\"a\""));
  EXPECT_TRUE(is_strong_etag("\"\""));
  EXPECT_TRUE(is_strong_etag("\"a\\b\xc3\xbc\""));
  for (const std::string_view e : {"", "\"", "a", "W/\"a\"", "\"a", "a\"", "\"a\"b\"", "\"a b\"", "w/\"a\"", "*"}) {
    EXPECT_FALSE(is_strong_etag(e)) << e;
  }
}

TEST(EntityTag, ComparesAsTheTableOfSection8833Says) {
  EXPECT_FALSE(strong_match("W/\"1\"", "W/\"1\""));
  EXPECT_TRUE(weak_match("W/\"1\"", "W/\"1\""));
  EXPECT_FALSE(strong_match("W/\"1\"", "W/\"2\""));
  EXPECT_FALSE(weak_match("W/\"1\"", "W/\"2\""));
  EXPECT_FALSE(strong_match("W/\"1\"", "\"1\""));
  EXPECT_TRUE(weak_match("W/\"1\"", "\"1\""));
  EXPECT_TRUE(strong_match("\"1\"", "\"1\""));
  EXPECT_TRUE(weak_match("\"1\"", "\"1\""));
}

TEST(EntityTag, KnowsCaseAndMatchesNothingWhenEmpty) {
  EXPECT_FALSE(weak_match("\"a\"", "\"A\""));
  EXPECT_FALSE(weak_match("", ""));
  EXPECT_FALSE(weak_match("W/", "")); // no tag at all, against a response that has none
  EXPECT_FALSE(strong_match("", ""));
}

TEST(Validator, IsAnETagOrALastModified) {
  EXPECT_TRUE(has_validator(headers_of({{"etag", "\"a\""}})));
  EXPECT_TRUE(has_validator(headers_of({{"last-modified", kNowText}})));
  EXPECT_FALSE(has_validator(headers_of({{"date", kNowText}})));
}

// RFC 9110 section 13.1.2.

TEST(IfNoneMatch, AnswersNotModifiedWhenAnyTagMatches) {
  for (const std::string_view list : {"\"abcdef\"", "\"abcdef\", \"1234\", \"5678\"", "\"1234\",\"abcdef\",\"5678\"",
                                      "\"1234\", \"5678\", \"abcdef\"", "W/\"abcdef\"", " , \"abcdef\"", "*"}) {
    EXPECT_EQ(evaluate({{"if-none-match", list}}, {{"etag", "\"abcdef\""}}), Precondition::not_modified) << list;
  }
}

TEST(IfNoneMatch, GoesOnWhenNoneMatches) {
  for (const std::string_view list : {"\"1234\"", "\"abcdef", "\"ABCDEF\"", "\"1234, abcdef\"", "", "\"a\", \"b\""}) {
    EXPECT_EQ(evaluate({{"if-none-match", list}}, {{"etag", "\"abcdef\""}}), Precondition::proceed) << list;
  }
}

TEST(IfNoneMatch, ComparesWeakly) {
  EXPECT_EQ(evaluate({{"if-none-match", "\"a\""}}, {{"etag", "W/\"a\""}}), Precondition::not_modified);
  EXPECT_EQ(evaluate({{"if-none-match", "W/\"a\""}}, {{"etag", "W/\"a\""}}), Precondition::not_modified);
}

TEST(IfNoneMatch, ReadsAllLines) {
  EXPECT_EQ(evaluate({{"if-none-match", "\"x\""}, {"if-none-match", "\"a\""}}, {{"etag", "\"a\""}}),
            Precondition::not_modified);
}

TEST(IfNoneMatch, TakesCommasAndBackslashesInTagsAsTheyAre) {
  EXPECT_EQ(evaluate({{"if-none-match", "\"x\\\", \"a,b\""}}, {{"etag", "\"a,b\""}}), Precondition::not_modified);
  EXPECT_EQ(evaluate({{"if-none-match", "\"a,b\""}}, {{"etag", "\"b\""}}), Precondition::proceed);
}

TEST(IfNoneMatch, DoesNotMatchAResponseWithoutETagButForTheStar) {
  EXPECT_EQ(evaluate({{"if-none-match", "\"a\""}}, {}), Precondition::proceed);
  EXPECT_EQ(evaluate({{"if-none-match", "*"}}, {}), Precondition::not_modified);
}

TEST(IfNoneMatch, BeatsIfModifiedSince) {
  const std::string modified = date_at(-5000s), later = date_at(-1s), earlier = date_at(-9000s);
  EXPECT_EQ(evaluate({{"if-none-match", "\"x\""}, {"if-modified-since", later}},
                     {{"etag", "\"a\""}, {"last-modified", modified}}),
            Precondition::proceed);
  EXPECT_EQ(evaluate({{"if-none-match", "\"a\""}, {"if-modified-since", earlier}},
                     {{"etag", "\"a\""}, {"last-modified", modified}}),
            Precondition::not_modified);
}

// RFC 9110 section 13.1.3.

TEST(IfModifiedSince, AnswersNotModifiedWhenLastModifiedIsNotLater) {
  const std::string modified = date_at(-3000s), later = date_at(-2000s), earlier = date_at(-3001s);
  EXPECT_EQ(evaluate({{"if-modified-since", modified}}, {{"last-modified", modified}}), Precondition::not_modified);
  EXPECT_EQ(evaluate({{"if-modified-since", later}}, {{"last-modified", modified}}), Precondition::not_modified);
  EXPECT_EQ(evaluate({{"if-modified-since", earlier}}, {{"last-modified", modified}}), Precondition::proceed);
}

TEST(IfModifiedSince, MayBeWrittenInAnyForm) {
  EXPECT_EQ(evaluate({{"if-modified-since", "Sunday, 06-Nov-94 08:49:37 GMT"}}, {{"last-modified", kNowText}}),
            Precondition::not_modified);
}

TEST(IfModifiedSince, IsComparedWithDateWhereThereIsNoLastModified) {
  const std::string earlier = date_at(-3000s);
  EXPECT_EQ(evaluate({{"if-modified-since", kNowText}}, {{"date", kNowText}}), Precondition::not_modified);
  EXPECT_EQ(evaluate({{"if-modified-since", earlier}}, {{"date", kNowText}}), Precondition::proceed);
  EXPECT_EQ(evaluate({{"if-modified-since", kNowText}}, {}), Precondition::proceed);
  EXPECT_EQ(evaluate({{"if-modified-since", kNowText}}, {{"date", kNowText}, {"last-modified", "x"}}),
            Precondition::proceed);
}

TEST(IfModifiedSince, IsIgnoredWhenItIsNoDateOrThereAreTwo) {
  EXPECT_EQ(evaluate({{"if-modified-since", "tomorrow"}}, {{"last-modified", kNowText}}), Precondition::proceed);
  EXPECT_EQ(evaluate({{"if-modified-since", kNowText}, {"if-modified-since", kNowText}}, {{"last-modified", kNowText}}),
            Precondition::proceed);
}

// RFC 9110 sections 13.1.1 and 13.1.4.

TEST(IfMatch, ComparesStrongly) {
  EXPECT_EQ(evaluate({{"if-match", "\"x\", \"a\""}}, {{"etag", "\"a\""}}), Precondition::proceed);
  EXPECT_EQ(evaluate({{"if-match", "W/\"a\""}}, {{"etag", "\"a\""}}), Precondition::failed);
  EXPECT_EQ(evaluate({{"if-match", "W/\"a\""}}, {{"etag", "W/\"a\""}}), Precondition::failed);
  EXPECT_EQ(evaluate({{"if-match", "\"b\""}}, {{"etag", "\"a\""}}), Precondition::failed);
  EXPECT_EQ(evaluate({{"if-match", "*"}}, {}), Precondition::proceed);
}

TEST(IfMatch, ComesBeforeIfNoneMatch) {
  EXPECT_EQ(evaluate({{"if-match", "\"b\""}, {"if-none-match", "\"a\""}}, {{"etag", "\"a\""}}), Precondition::failed);
  EXPECT_EQ(evaluate({{"if-match", "\"a\""}, {"if-none-match", "\"a\""}}, {{"etag", "\"a\""}}),
            Precondition::not_modified);
}

TEST(IfUnmodifiedSince, FailsWhenLastModifiedIsLater) {
  const std::string earlier = date_at(-1s);
  EXPECT_EQ(evaluate({{"if-unmodified-since", earlier}}, {{"last-modified", kNowText}}), Precondition::failed);
  EXPECT_EQ(evaluate({{"if-unmodified-since", kNowText}}, {{"last-modified", kNowText}}), Precondition::proceed);
}

TEST(IfUnmodifiedSince, IsIgnoredBesideIfMatchAndWhenInvalid) {
  const std::string earlier = date_at(-1s);
  EXPECT_EQ(evaluate({{"if-match", "\"a\""}, {"if-unmodified-since", earlier}},
                     {{"etag", "\"a\""}, {"last-modified", kNowText}}),
            Precondition::proceed);
  EXPECT_EQ(evaluate({{"if-unmodified-since", "x"}}, {{"last-modified", kNowText}}), Precondition::proceed);
  EXPECT_EQ(evaluate({{"if-unmodified-since", earlier}}, {}), Precondition::proceed);
}

TEST(Preconditions, AreForGetAndHeadOnly) {
  auto request = get_with({{"if-none-match", "*"}, {"if-match", "\"x\""}});
  request.method = "POST";
  EXPECT_EQ(evaluate_preconditions(request, headers_of({{"etag", "\"a\""}}), kNow), Precondition::proceed);
  request.method = "HEAD";
  EXPECT_EQ(evaluate_preconditions(request, headers_of({{"etag", "\"a\""}}), kNow), Precondition::failed);
}

TEST(Preconditions, NoneIsNone) { EXPECT_EQ(evaluate({}, {{"etag", "\"a\""}}), Precondition::proceed); }

// Our own conditional requests.

TEST(Conditions, OfOursStandInPlaceOfTheClients) {
  auto request = headers_of({{"if-none-match", "\"client\""},
                             {"if-match", "\"client\""},
                             {"if-unmodified-since", kNowText},
                             {"if-range", "\"client\""},
                             {"range", "bytes=0-1"},
                             {"accept", "*/*"}});
  set_conditions(request, headers_of({{"etag", "W/\"ours\""}, {"last-modified", kNowText}}));
  EXPECT_EQ(request.joined("if-none-match"), "W/\"ours\"");
  EXPECT_EQ(request.joined("if-modified-since"), kNowText);
  EXPECT_EQ(request.size(), 3u);
  EXPECT_TRUE(request.has("accept"));
}

TEST(Conditions, AreOnlyThoseThatTheStoredResponseHasAValidatorFor) {
  auto request = headers_of({{"if-modified-since", kNowText}});
  set_conditions(request, headers_of({{"etag", "\"ours\""}}));
  EXPECT_FALSE(request.has("if-modified-since"));
  set_conditions(request, headers_of({{"last-modified", kNowText}}));
  EXPECT_FALSE(request.has("if-none-match"));
  EXPECT_EQ(request.get("if-modified-since"), kNowText);
}

TEST(Conditions, AreAllRemovedFromAFetchOfTheWhole) {
  auto request = headers_of({{"if-none-match", "a"},
                             {"if-match", "a"},
                             {"if-modified-since", "a"},
                             {"if-unmodified-since", "a"},
                             {"if-range", "a"},
                             {"range", "bytes=0-"},
                             {"x", "y"}});
  remove_conditions(request);
  EXPECT_EQ(request.size(), 1u);
}

// RFC 9111 section 4.3.4.

bool freshens(Lines stored, Lines not_modified) {
  return policy::freshens(headers_of(stored), headers_of(not_modified));
}

TEST(Freshens, WithTheSameETag) {
  EXPECT_TRUE(freshens({{"etag", "\"a\""}}, {{"etag", "\"a\""}}));
  EXPECT_TRUE(freshens({{"etag", "W/\"a\""}}, {{"etag", "W/\"a\""}}));
}

TEST(Freshens, NotWithAnotherETag) {
  EXPECT_FALSE(freshens({{"etag", "\"a\""}}, {{"etag", "\"b\""}}));
  EXPECT_FALSE(freshens({{"etag", "W/\"a\""}}, {{"etag", "\"b\""}}));
  EXPECT_FALSE(
      freshens({{"etag", "\"a\""}, {"last-modified", kNowText}}, {{"etag", "\"b\""}, {"last-modified", kNowText}}));
}

TEST(Freshens, WithATagThatCompressionMadeWeak) { EXPECT_TRUE(freshens({{"etag", "W/\"a\""}}, {{"etag", "\"a\""}})); }

TEST(Freshens, NotWithAStrongETagWhereNoneIsStored) {
  EXPECT_FALSE(freshens({}, {{"etag", "\"b\""}}));
  EXPECT_FALSE(freshens({{"last-modified", kNowText}}, {{"etag", "\"b\""}}));
  EXPECT_FALSE(freshens({{"last-modified", kNowText}}, {{"etag", "\"b\""}, {"last-modified", kNowText}}));
}

TEST(Freshens, WithAStrongLastModifiedBesideAnETagThatIsNew) {
  const std::string later = date_at(1s);
  EXPECT_TRUE(
      freshens({{"last-modified", kNowText}, {"date", later}}, {{"etag", "\"b\""}, {"last-modified", kNowText}}));
  EXPECT_FALSE(
      freshens({{"last-modified", kNowText}, {"date", kNowText}}, {{"etag", "\"b\""}, {"last-modified", kNowText}}));
  EXPECT_TRUE(freshens({{"last-modified", kNowText}}, {{"etag", "W/\"b\""}, {"last-modified", kNowText}}));
}

TEST(Freshens, NotWithAValidatorOfAKindThatIsNotStored) {
  EXPECT_FALSE(freshens({{"etag", "\"a\""}}, {{"last-modified", kNowText}}));
  EXPECT_FALSE(freshens({{"last-modified", kNowText}}, {{"etag", "W/\"b\""}}));
  EXPECT_FALSE(freshens({}, {{"last-modified", kNowText}}));
}

TEST(Freshens, NotWithAnotherLastModifiedAndNoETag) {
  const std::string other = date_at(1s);
  EXPECT_FALSE(freshens({{"last-modified", kNowText}}, {{"last-modified", other}}));
  EXPECT_FALSE(freshens({{"etag", "\"a\""}, {"last-modified", kNowText}}, {{"last-modified", other}}));
  EXPECT_TRUE(freshens({{"last-modified", kNowText}}, {{"last-modified", kNowText}}));
  EXPECT_TRUE(freshens({{"last-modified", kNowText}}, {{"last-modified", "Sun Nov  6 08:49:37 1994"}}));
}

TEST(Freshens, WithNoValidatorAtAll) {
  EXPECT_TRUE(freshens({{"etag", "\"a\""}}, {}));
  EXPECT_TRUE(freshens({{"last-modified", kNowText}}, {{"date", kNowText}}));
}

// RFC 9111 section 3.2.

http::Headers updated(Lines stored, Lines not_modified) {
  return freshened(headers_of(stored), headers_of(not_modified));
}

TEST(Freshened, FieldsOfThe304ReplaceStoredOnesAndTheOthersStay) {
  const auto out = updated({{"a", "1"}, {"a", "2"}, {"b", "1"}, {"cache-control", "max-age=1"}},
                           {{"a", "3"}, {"cache-control", "max-age=9"}, {"c", "1"}});
  EXPECT_EQ(out.joined("a"), "3");
  EXPECT_EQ(out.joined("b"), "1");
  EXPECT_EQ(out.joined("c"), "1");
  EXPECT_EQ(out.joined("cache-control"), "max-age=9");
}

TEST(Freshened, SeveralLinesOfThe304AllCome) {
  EXPECT_EQ(updated({{"a", "1"}}, {{"a", "2"}, {"b", "x"}, {"a", "3"}}).joined("a"), "2, 3");
}

TEST(Freshened, EveryOtherFieldIsUpdatedThoughItsNameBeginsWithContent) {
  for (const std::string_view name :
       {"content-type", "content-md5", "content-location", "content-security-policy", "content-foo", "x-content-foo",
        "clear-site-data", "expires", "set-cookie", "x-frame-options", "date", "vary"}) {
    EXPECT_EQ(updated({{name, "old"}}, {{name, "new"}}).joined(name), "new") << name;
  }
}

TEST(Freshened, WhatTellsOfTheStoredOctetsStays) {
  for (const std::string_view name : {"content-length", "content-encoding", "content-range"}) {
    EXPECT_EQ(updated({{name, "old"}}, {{name, "new"}}).joined(name), "old") << name;
    EXPECT_FALSE(updated({}, {{name, "new"}}).has(name)) << name;
  }
}

TEST(Freshened, WhatIsForOneHopIsNotTaken) {
  const auto out =
      updated({{"x-hop", "old"}, {"a", "1"}},
              {{"connection", "x-hop"}, {"x-hop", "new"}, {"keep-alive", "x"}, {"transfer-encoding", "x"}});
  EXPECT_EQ(out.joined("x-hop"), "old");
  EXPECT_EQ(out.size(), 2u);
}

TEST(Freshened, TheAgeIsThatOfThe304) {
  EXPECT_FALSE(updated({{"age", "500"}}, {{"date", kNowText}}).has("age"));
  EXPECT_EQ(updated({{"age", "500"}}, {{"age", "3"}}).joined("age"), "3");
}

TEST(Freshened, AWeakTagDoesNotBecomeStrongOverTheSameOctets) {
  EXPECT_EQ(updated({{"etag", "W/\"a\""}}, {{"etag", "\"a\""}}).joined("etag"), "W/\"a\"");
  EXPECT_EQ(updated({{"etag", "\"a\""}}, {{"etag", "\"a\""}}).joined("etag"), "\"a\"");
}

// RFC 9110 section 15.4.5.

TEST(NotModified, CarriesWhatThe200WouldCarryForCaches) {
  const auto out = not_modified_fields(headers_of({{"content-location", "/x"},
                                                   {"date", kNowText},
                                                   {"etag", "\"a\""},
                                                   {"vary", "accept"},
                                                   {"cache-control", "max-age=5"},
                                                   {"expires", kNowText},
                                                   {"last-modified", kNowText},
                                                   {"access-control-allow-origin", "*"}}));
  EXPECT_EQ(out.size(), 8u);
}

TEST(NotModified, DoesNotDescribeABodyThatIsNotThere) {
  const auto out = not_modified_fields(headers_of({{"content-type", "text/html"},
                                                   {"content-encoding", "gzip"},
                                                   {"content-language", "de"},
                                                   {"content-length", "5"},
                                                   {"content-range", "bytes 0-4/5"},
                                                   {"etag", "\"a\""}}));
  EXPECT_EQ(out.size(), 1u);
}

} // namespace
} // namespace verge::policy
