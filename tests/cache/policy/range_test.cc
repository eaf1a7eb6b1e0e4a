#include "cache/policy/range.h"

#include <gtest/gtest.h>

#include "tests/cache/policy/values.h"

namespace verge::policy {

// Found by ADL for the failure messages and comparisons of the tests.
bool operator==(const ByteRange& a, const ByteRange& b) { return a.first == b.first && a.last == b.last; }
void PrintTo(const ByteRange& r, std::ostream* out) { *out << r.first << "-" << r.last; }

namespace {

using namespace std::chrono_literals;
using Ranges = std::vector<ByteRange>;

RangeDecision decide(std::string_view range, uint64_t length = 100) {
  return decide_range(headers_of({{"range", range}}), headers_of({}), length, kNow);
}
void expect_partial(std::string_view range, const Ranges& want, uint64_t length = 100) {
  const auto d = decide(range, length);
  EXPECT_EQ(d.verdict, RangeVerdict::partial) << range;
  EXPECT_EQ(d.ranges, want) << range;
}
void expect(RangeVerdict want, std::string_view range, uint64_t length = 100) {
  const auto d = decide(range, length);
  EXPECT_EQ(d.verdict, want) << range;
  EXPECT_TRUE(d.ranges.empty()) << range;
}

TEST(Range, FirstAndLastAreInclusive) {
  expect_partial("bytes=0-1", {{0, 1}});
  expect_partial("bytes=0-0", {{0, 0}});
  expect_partial("bytes=99-99", {{99, 99}});
}

TEST(Range, WithoutLastGoesToTheEnd) { expect_partial("bytes=1-", {{1, 99}}); }

TEST(Range, ASuffixIsTheLastOctets) {
  expect_partial("bytes=-1", {{99, 99}});
  expect_partial("bytes=-100", {{0, 99}});
  expect_partial("bytes=-500", {{0, 99}});
}

TEST(Range, ALastBehindTheEndIsCut) {
  expect_partial("bytes=90-1000", {{90, 99}});
  expect_partial("bytes=90-99999999999999999999999999", {{90, 99}});
}

TEST(Range, TheUnitKnowsNoCase) { expect_partial("Bytes=0-1", {{0, 1}}); }

TEST(Range, NoneSatisfiableIs416) {
  expect(RangeVerdict::unsatisfiable, "bytes=100-");
  expect(RangeVerdict::unsatisfiable, "bytes=100-200");
  expect(RangeVerdict::unsatisfiable, "bytes=-0");
  expect(RangeVerdict::unsatisfiable, "bytes=100-, 200-300, -0");
  expect(RangeVerdict::unsatisfiable, "bytes=99999999999999999999999-");
  expect(RangeVerdict::unsatisfiable, "bytes=0-", 0);
}

TEST(Range, ASuffixOfAnEmptyBodyIsTheWhole) {
  expect(RangeVerdict::whole, "bytes=-5", 0);
  expect(RangeVerdict::unsatisfiable, "bytes=-0", 0);
}

TEST(Range, AMalformedOneIsIgnored) {
  for (const std::string_view range :
       {"", "bytes", "bytes=", "bytes=,", "bytes=-", "bytes=a-b", "bytes=1", "bytes=5-1", "bytes=0-1,x", "bytes=0-1-2",
        "bytes = 0-1", "bytes=0 -1", "bytes=+1-2", "bytes=--1", "bytes:0-1", "bytes=0x0-1", "bytes=0-1;2-3"}) {
    expect(RangeVerdict::whole, range);
  }
}

TEST(Range, AnotherUnitIsIgnored) {
  expect(RangeVerdict::whole, "seconds=1-2");
  expect(RangeVerdict::whole, "byte=0-1");
}

TEST(Range, TwoLinesAreIgnored) {
  EXPECT_EQ(decide_range(headers_of({{"range", "bytes=0-1"}, {"range", "bytes=2-3"}}), {}, 100, kNow).verdict,
            RangeVerdict::whole);
}

TEST(Range, NoneIsTheWhole) {
  EXPECT_EQ(decide_range(headers_of({{"x", "y"}}), {}, 100, kNow).verdict, RangeVerdict::whole);
  EXPECT_EQ(decide_range(headers_of({{"if-range", "\"a\""}}), headers_of({{"etag", "\"a\""}}), 100, kNow).verdict,
            RangeVerdict::whole);
}

TEST(Range, SeveralAreGivenAscending) {
  expect_partial("bytes=50-59, 0-9 ,-1", {{0, 9}, {50, 59}, {99, 99}});
  expect_partial("bytes=,0-9,,20-29,", {{0, 9}, {20, 29}});
}

TEST(Range, ThoseThatTouchOrOverlapAreOne) {
  expect_partial("bytes=0-9, 10-19", {{0, 19}});
  expect_partial("bytes=5-14, 0-9", {{0, 14}});
  expect_partial("bytes=0-29, 10-19", {{0, 29}});
  expect_partial("bytes=0-9, 11-19", {{0, 9}, {11, 19}});
}

TEST(Range, AnUnsatisfiableOneAmongOthersIsLeftOut) { expect_partial("bytes=0-1, 100-200", {{0, 1}}); }

TEST(Range, MoreOctetsThanTheBodyHasIsTheWhole) {
  expect(RangeVerdict::whole, "bytes=0-,0-,0-");
  expect(RangeVerdict::whole, "bytes=0-59, 40-99");
  expect_partial("bytes=0-49, 50-99", {{0, 99}});
}

TEST(Range, TooManyAreTheWhole) {
  std::string many = "bytes=0-0";
  for (size_t i = 1; i < kMaxRanges; ++i) many += "," + std::to_string(i * 2) + "-" + std::to_string(i * 2);
  EXPECT_EQ(decide(many).ranges.size(), kMaxRanges);
  expect(RangeVerdict::whole, many + ",90-90");
  expect(RangeVerdict::whole, many + ",900-900");
}

TEST(Range, BodiesOfAnySizeAreCountedRight) {
  const uint64_t huge = UINT64_MAX;
  expect_partial("bytes=18446744073709551614-", {{huge - 1, huge - 1}}, huge);
  expect_partial("bytes=0-", {{0, huge - 1}}, huge);
  expect(RangeVerdict::whole, "bytes=0-,0-", huge);
}

// RFC 9110 section 13.1.5.

RangeVerdict if_range(std::string_view condition, Lines stored) {
  return decide_range(headers_of({{"range", "bytes=0-1"}, {"if-range", condition}}), headers_of(stored), 100, kNow)
      .verdict;
}

TEST(IfRange, AStrongTagThatMatchesGivesThePart) {
  EXPECT_EQ(if_range("\"a\"", {{"etag", "\"a\""}}), RangeVerdict::partial);
}

TEST(IfRange, AnotherOrAWeakTagGivesTheWhole) {
  EXPECT_EQ(if_range("\"b\"", {{"etag", "\"a\""}}), RangeVerdict::whole);
  EXPECT_EQ(if_range("W/\"a\"", {{"etag", "W/\"a\""}}), RangeVerdict::whole);
  EXPECT_EQ(if_range("\"a\"", {{"etag", "W/\"a\""}}), RangeVerdict::whole);
  EXPECT_EQ(if_range("\"a\"", {}), RangeVerdict::whole);
  EXPECT_EQ(if_range("*", {{"etag", "\"a\""}}), RangeVerdict::whole);
  EXPECT_EQ(if_range("\"a\", \"b\"", {{"etag", "\"a\""}}), RangeVerdict::whole);
}

TEST(IfRange, TheStoredLastModifiedGivesThePartWhenItIsStrong) {
  const std::string modified = date_at(-1s), other = date_at(-2s), later = date_at(0s);
  EXPECT_EQ(if_range(modified, {{"last-modified", modified}, {"date", kNowText}}), RangeVerdict::partial);
  EXPECT_EQ(if_range(other, {{"last-modified", modified}, {"date", kNowText}}), RangeVerdict::whole);
  EXPECT_EQ(if_range(later, {{"last-modified", modified}, {"date", kNowText}}), RangeVerdict::whole);
}

TEST(IfRange, ALastModifiedOfTheSameSecondAsDateIsWeak) {
  EXPECT_EQ(if_range(kNowText, {{"last-modified", kNowText}, {"date", kNowText}}), RangeVerdict::whole);
  const std::string modified = date_at(-1s);
  EXPECT_EQ(if_range(modified, {{"last-modified", modified}}), RangeVerdict::whole); // no Date to tell by
}

TEST(IfRange, ALastModifiedBesideTwoDatesIsWeak) {
  const std::string modified = date_at(-1s), other = date_at(-1s);
  EXPECT_EQ(if_range(modified, {{"last-modified", modified}, {"date", kNowText}, {"date", other}}),
            RangeVerdict::whole);
}

TEST(IfRange, WhatIsNeitherGivesTheWhole) {
  EXPECT_EQ(if_range("x", {{"etag", "\"a\""}, {"last-modified", "x"}, {"date", kNowText}}), RangeVerdict::whole);
  EXPECT_EQ(decide_range(headers_of({{"range", "bytes=0-1"}, {"if-range", "\"a\""}, {"if-range", "\"a\""}}),
                         headers_of({{"etag", "\"a\""}}), 100, kNow)
                .verdict,
            RangeVerdict::whole);
}

// RFC 9110 section 14.4.

TEST(ContentRange, IsWritten) {
  EXPECT_EQ(content_range({0, 9}, 100), "bytes 0-9/100");
  EXPECT_EQ(content_range_unsatisfied(100), "bytes */100");
}

TEST(ContentRange, IsRead) {
  const auto whole = parse_content_range("bytes 4-9/10");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->range, (ByteRange{4, 9}));
  EXPECT_EQ(whole->complete, 10u);
  const auto open = parse_content_range("bytes 4-9/*");
  ASSERT_TRUE(open);
  EXPECT_EQ(open->complete, std::nullopt);
}

TEST(ContentRange, IsNoneUnlessItIsOneValidRange) {
  for (const std::string_view v :
       {"", "bytes", "bytes ", "bytes */10", "bytes 4-9", "bytes 9-4/10", "bytes 4-10/10", "bytes 4-/10", "bytes -4/10",
        "bytes 4-9/", "bytes 4-9/x", "bytes=4-9/10", "items 4-9/10", "bytes 4-9/10, bytes 0-1/10", "bytes 4 - 9/10",
        "bytes 0-18446744073709551615/18446744073709551616", "bytes 4-9/10/10"}) {
    EXPECT_FALSE(parse_content_range(v)) << v;
  }
}

} // namespace
} // namespace verge::policy
