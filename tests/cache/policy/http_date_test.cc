#include "cache/policy/http_date.h"

#include <gtest/gtest.h>

#include "tests/cache/policy/values.h"

namespace verge::policy {
namespace {

using namespace std::chrono_literals;

std::optional<WallTime> parse(std::string_view text) { return parse_http_date(text, kNow); }

TEST(HttpDate, ThreeFormsNameTheSameMoment) {
  EXPECT_EQ(parse("Sun, 06 Nov 1994 08:49:37 GMT"), kNow);
  EXPECT_EQ(parse("Sunday, 06-Nov-94 08:49:37 GMT"), kNow);
  EXPECT_EQ(parse("Sun Nov  6 08:49:37 1994"), kNow);
}

TEST(HttpDate, ACacheMatchesNamesWithoutCase) {
  EXPECT_EQ(parse("SUN, 06 NOV 1994 08:49:37 gmt"), kNow);
  EXPECT_EQ(parse("sunday, 06-nov-94 08:49:37 GmT"), kNow);
  EXPECT_EQ(parse("sun nov  6 08:49:37 1994"), kNow);
}

TEST(HttpDate, WhatIsOnlyCloseToTheGrammarIsInvalid) {
  for (const std::string_view text : {
           "",
           "0",
           "-1",
           "now",
           "Thu, 18 Aug 2050 02:01:18 UTC",
           "Thu, 18 Aug 2050 02:01:18 AEST",
           "Thu, 18 Aug 2050 02:01:18 +0000",
           "Thu, 18 Aug 2050 02:01:18",
           "Thu, 18 Aug 50 02:01:18 GMT",
           "Thu 18 Aug 2050 02:01:18 GMT",
           "Thu, 18  Aug  2050 02:01:18 GMT",
           "Thu, 18-Aug-2050 02:01:18 GMT",
           "Thu, 18 Aug 2050 02.01.18 GMT",
           "Thu, 18 Aug 2050 2:01:18 GMT",
           "Thu, 8 Aug 2050 02:01:18 GMT",
           "Thu, 18 Aug 2050 02:01:18 GMT ",
           " Thu, 18 Aug 2050 02:01:18 GMT",
           "Thu, 18 Aug 2050 24:00:00 GMT",
           "Thu, 18 Aug 2050 02:60:18 GMT",
           "Thu, 18 Aug 2050 02:01:61 GMT",
           "Thu, 31 Jun 2050 02:01:18 GMT",
           "Thu, 29 Feb 2050 02:01:18 GMT",
           "Thu, 00 Aug 2050 02:01:18 GMT",
           "Thx, 18 Aug 2050 02:01:18 GMT",
           "Thu, 18 Agu 2050 02:01:18 GMT",
           "Thu, 18-Aug-50 02:01:18 GMT",
           "Thursday, 18 Aug 2050 02:01:18 GMT",
           "Thu Aug 18 02:01:18 2050 GMT",
           "Thu Aug 8 02:01:18 2050",
           "Thu, 18 Aug -050 02:01:18 GMT",
       }) {
    EXPECT_EQ(parse(text), std::nullopt) << text;
  }
}

TEST(HttpDate, NeverReadsPastATextThatIsCut) {
  for (const std::string_view whole :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
    for (size_t n = 0; n < whole.size(); ++n) EXPECT_EQ(parse(std::string(whole.substr(0, n))), std::nullopt) << n;
  }
}

TEST(HttpDate, TheDayNameIsNotHeldAgainstTheDate) {
  EXPECT_EQ(parse("Mon, 06 Nov 1994 08:49:37 GMT"), kNow); // senders get it wrong, and it says nothing
}

TEST(HttpDate, ALeapSecondIsTheNextMinute) { EXPECT_EQ(parse("Sun, 06 Nov 1994 08:49:60 GMT"), kNow + 23s); }

TEST(HttpDate, ATwoDigitYearMoreThanFiftyYearsAheadIsInThePast) {
  const auto in_2026 = *parse("Wed, 01 Jul 2026 00:00:00 GMT");
  EXPECT_EQ(parse_http_date("Thursday, 18-Aug-50 02:01:18 GMT", in_2026), parse("Thu, 18 Aug 2050 02:01:18 GMT"));
  EXPECT_EQ(parse_http_date("Tuesday, 30-Jun-76 00:00:00 GMT", in_2026), parse("Tue, 30 Jun 2076 00:00:00 GMT"));
  EXPECT_EQ(parse_http_date("Thursday, 02-Jul-76 00:00:00 GMT", in_2026 - 24h * 2),
            parse("Fri, 02 Jul 1976 00:00:00 GMT"));
  EXPECT_EQ(parse_http_date("Friday, 01-Jan-99 00:00:00 GMT", in_2026), parse("Fri, 01 Jan 1999 00:00:00 GMT"));
}

TEST(HttpDate, ATwoDigitYearMayLieInTheNextCentury) {
  const auto in_2090 = *parse("Sun, 01 Jan 2090 00:00:00 GMT");
  EXPECT_EQ(parse_http_date("Friday, 01-Jan-10 00:00:00 GMT", in_2090), parse("Wed, 01 Jan 2110 00:00:00 GMT"));
}

TEST(HttpDate, IsWrittenAsImfFixdate) {
  EXPECT_EQ(format_http_date(kNow), kNowText);
  EXPECT_EQ(format_http_date(kNow + 999ms), kNowText); // rounded down
  EXPECT_EQ(format_http_date(WallTime{}), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(format_http_date(WallTime{} - 1ms), "Wed, 31 Dec 1969 23:59:59 GMT");
}

TEST(HttpDate, EveryMomentWrittenIsReadBack) {
  for (int64_t s = -2'000'000'000; s < 8'000'000'000; s += 7'654'321) {
    const WallTime t{Seconds{s}};
    EXPECT_EQ(parse(format_http_date(t)), t);
  }
}

} // namespace
} // namespace verge::policy
