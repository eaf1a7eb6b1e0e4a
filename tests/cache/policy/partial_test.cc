#include "cache/policy/partial.h"

#include <gtest/gtest.h>

#include "tests/cache/policy/values.h"

namespace verge::policy {
namespace {

using namespace std::chrono_literals;

http::ResponseHead part_of(std::string_view content_range, std::optional<uint64_t> length = {}, Lines more = {}) {
  auto out = answer(206, more);
  out.headers.add("content-range", content_range);
  out.content_length = length;
  return out;
}
PartVerdict judged(std::string_view content_range, const AskedRange& asked, std::optional<uint64_t> length = {}) {
  return judge_part(part_of(content_range, length), asked).verdict;
}

TEST(PartJudged, FitsWhenItsOctetsAreThoseAskedFor) {
  EXPECT_EQ(judged("bytes 10-19/100", {10, 19}, 10), PartVerdict::fits);
  EXPECT_EQ(judged("bytes 10-99/100", {10, {}}), PartVerdict::fits);
  EXPECT_EQ(judged("bytes 90-99/100", {{}, 10}), PartVerdict::fits);
  EXPECT_EQ(judged("bytes 0-99/100", {{}, 500}), PartVerdict::fits);
  EXPECT_EQ(judged("bytes 10-19/*", {10, 19}), PartVerdict::fits);
}

// RFC 9110 section 15.3.7: a server may send a subset of what was asked for.
TEST(PartJudged, MayHaveLessThanWasAskedForIfItBeginsThere) {
  EXPECT_EQ(judged("bytes 10-12/100", {10, 19}), PartVerdict::fits);
  EXPECT_EQ(judged("bytes 11-19/100", {10, 19}), PartVerdict::not_asked);
  EXPECT_EQ(judged("bytes 10-20/100", {10, 19}), PartVerdict::not_asked);
  EXPECT_EQ(judged("bytes 95-99/100", {{}, 10}), PartVerdict::not_asked);
  EXPECT_EQ(judged("bytes 90-99/*", {{}, 10}), PartVerdict::not_asked);
}

TEST(PartJudged, ALengthThatDisagreesIsNoPart) {
  EXPECT_EQ(judged("bytes 4-9/10", {{}, 6}, 5), PartVerdict::length_disagrees);
  EXPECT_EQ(judged("bytes 4-9/10", {{}, 6}, 7), PartVerdict::length_disagrees);
}

// RFC 9110 section 15.3.7.1: a single part has one Content-Range; section 15.3.7.2: several have none in the head.
TEST(PartJudged, WithoutOneValidContentRangeItIsNoPart) {
  EXPECT_EQ(judge_part(answer(206), {0, 9}).verdict, PartVerdict::not_one_range);
  EXPECT_EQ(judge_part(part_of("bytes 0-9/100", {}, {{"content-range", "bytes 0-9/100"}}), {0, 9}).verdict,
            PartVerdict::not_one_range);
  EXPECT_EQ(
      judge_part(part_of("bytes 0-9/100", {}, {{"content-type", "Multipart/ByteRanges; boundary=x"}}), {0, 9}).verdict,
      PartVerdict::not_one_range);
  for (const std::string_view bad : {"bytes 9-0/10", "bytes 0-9/9", "bytes */10", "lines 0-9/10", "0-9/10", ""}) {
    EXPECT_EQ(judged(bad, {0, 9}), PartVerdict::not_one_range) << bad;
  }
}

// RFC 9111 section 3.4: parts may be combined if they share the same strong validator.
TEST(SameVersion, NeedsTheSameStrongValidatorOnBothSides) {
  const auto same = [](Lines a, Lines b) { return same_version(headers_of(a), headers_of(b), kNow); };
  EXPECT_TRUE(same({{"etag", "\"1\""}}, {{"etag", "\"1\""}}));
  EXPECT_FALSE(same({{"etag", "\"1\""}}, {{"etag", "\"2\""}}));
  EXPECT_FALSE(same({{"etag", "W/\"1\""}}, {{"etag", "W/\"1\""}}));
  EXPECT_FALSE(same({{"etag", "\"1\""}}, {{"etag", "W/\"1\""}}));
  EXPECT_FALSE(same({}, {}));
}

// RFC 9110 section 8.8.2.2: a Last-Modified is strong if the response was made at least a second later.
TEST(SameVersion, ADateCountsOnlyWhereItIsStrong) {
  const std::string modified = date_at(-10s), just_now = date_at(0s);
  const auto dated = [](std::string_view m, std::string_view d) {
    return headers_of({{"last-modified", m}, {"date", d}});
  };
  EXPECT_TRUE(same_version(dated(modified, kNowText), dated(modified, kNowText), kNow));
  EXPECT_FALSE(same_version(dated(just_now, kNowText), dated(just_now, kNowText), kNow));
  EXPECT_FALSE(
      same_version(headers_of({{"last-modified", modified}}), headers_of({{"last-modified", modified}}), kNow));
}

TEST(SameVersion, AnotherCompleteLengthIsAnotherVersion) {
  const auto of = [](std::string_view range) { return headers_of({{"etag", "\"1\""}, {"content-range", range}}); };
  EXPECT_TRUE(same_version(of("bytes 0-4/10"), of("bytes 5-9/10"), kNow));
  EXPECT_TRUE(same_version(of("bytes 0-4/*"), of("bytes 5-9/10"), kNow));
  EXPECT_FALSE(same_version(of("bytes 0-4/10"), of("bytes 5-9/11"), kNow));
}

TEST(Unite, JoinsWhatTouchesOrOverlaps) {
  const auto united = [](ByteRange a, ByteRange b) {
    const auto u = unite(a, b);
    return u ? content_range(*u, 100) : "none";
  };
  EXPECT_EQ(united({0, 4}, {5, 9}), "bytes 0-9/100");
  EXPECT_EQ(united({5, 9}, {0, 4}), "bytes 0-9/100");
  EXPECT_EQ(united({0, 9}, {3, 5}), "bytes 0-9/100");
  EXPECT_EQ(united({3, 20}, {0, 9}), "bytes 0-20/100");
  EXPECT_EQ(united({0, 4}, {6, 9}), "none");
}

TEST(Part, IsCompleteWithEveryOctetOfAKnownLength) {
  EXPECT_TRUE(is_complete({{0, 9}, 10}));
  EXPECT_FALSE(is_complete({{0, 8}, 10}));
  EXPECT_FALSE(is_complete({{1, 9}, 10}));
  EXPECT_FALSE(is_complete({{0, 9}, {}}));
}

TEST(PartAnswers, ARangeThatItHas) {
  const ContentRange part{{10, 29}, 100};
  const auto ranges = [&](std::string_view range) -> std::string {
    const auto d = decide_from_part(headers_of({{"range", range}}), headers_of({{"etag", "\"1\""}}), part, kNow);
    if (!d) return "ask";
    if (d->verdict == RangeVerdict::unsatisfiable) return "416";
    std::string out;
    for (const auto& r : d->ranges) out += content_range(r, *part.complete) + ";";
    return out;
  };
  EXPECT_EQ(ranges("bytes=10-29"), "bytes 10-29/100;");
  EXPECT_EQ(ranges("bytes=12-13,20-21"), "bytes 12-13/100;bytes 20-21/100;");
  EXPECT_EQ(ranges("bytes=9-10"), "ask");
  EXPECT_EQ(ranges("bytes=29-30"), "ask");
  EXPECT_EQ(ranges("bytes=12-"), "ask");
  EXPECT_EQ(ranges("bytes=-5"), "ask");
  EXPECT_EQ(ranges("bytes=100-"), "416");
  EXPECT_EQ(ranges("lines=1-2"), "ask");
}

TEST(PartAnswers, ASuffixAndAnOpenRangeOnceTheEndIsKnown) {
  const auto answers = [](std::string_view range, const ContentRange& part) {
    return decide_from_part(headers_of({{"range", range}}), {}, part, kNow).has_value();
  };
  EXPECT_TRUE(answers("bytes=-5", {{90, 99}, 100}));
  EXPECT_TRUE(answers("bytes=95-", {{90, 99}, 100}));
  EXPECT_FALSE(answers("bytes=-5", {{90, 99}, {}}));
  EXPECT_FALSE(answers("bytes=95-", {{90, 99}, {}}));
  EXPECT_TRUE(answers("bytes=91-92", {{90, 99}, {}}));
  EXPECT_FALSE(answers("bytes=100-", {{90, 99}, {}})); // nobody knows whether it is behind the end
}

// RFC 9110 section 13.1.5: If-Range that does not hold asks for the whole.
TEST(PartAnswers, IfRangeIsJudgedByTheStoredValidator) {
  const auto answers = [](std::string_view condition) {
    return decide_from_part(headers_of({{"range", "bytes=0-1"}, {"if-range", condition}}),
                            headers_of({{"etag", "\"1\""}}), {{0, 9}, 100}, kNow)
        .has_value();
  };
  EXPECT_TRUE(answers("\"1\""));
  EXPECT_FALSE(answers("\"2\""));
  EXPECT_FALSE(answers("W/\"1\""));
}

TEST(Slice, RangesAreAlignedAndCutToTheBody) {
  EXPECT_EQ(content_range(slice_range(2, 10, {}), 100), "bytes 20-29/100");
  EXPECT_EQ(content_range(slice_range(2, 10, 25), 25), "bytes 20-24/25");
  EXPECT_EQ(slice_key(3), "\nslice=3");
}

TEST(Slice, TheFirstWantedIsWhereTheFirstRangeBegins) {
  const auto first = [](std::string_view range) { return first_wanted(headers_of({{"range", range}})); };
  EXPECT_EQ(first_wanted({}), 0u);
  EXPECT_EQ(first("bytes=30-"), 30u);
  EXPECT_EQ(first("bytes=30-40,5-6"), 30u);
  EXPECT_EQ(first("bytes=-5"), 0u);
  EXPECT_EQ(first("lines=30-"), 0u);
  EXPECT_EQ(first("bytes=99999999999999999999-"), 0u);
}

TEST(Slice, FitsOnlyWithItsVeryOctetsAndAStrongValidator) {
  const auto verdict = [](std::string_view range, Lines more, uint64_t index = 1) {
    return judge_slice(part_of(range, {}, more), index, 10, nullptr, kNow);
  };
  EXPECT_EQ(verdict("bytes 10-19/100", {{"etag", "\"1\""}}), SliceVerdict::fits);
  EXPECT_EQ(verdict("bytes 10-14/15", {{"etag", "\"1\""}}), SliceVerdict::fits);
  EXPECT_EQ(verdict("bytes 10-18/100", {{"etag", "\"1\""}}), SliceVerdict::not_sliceable);
  EXPECT_EQ(verdict("bytes 0-9/100", {{"etag", "\"1\""}}), SliceVerdict::not_sliceable);
  EXPECT_EQ(verdict("bytes 10-19/*", {{"etag", "\"1\""}}), SliceVerdict::not_sliceable);
  EXPECT_EQ(verdict("bytes 10-19/100", {}), SliceVerdict::not_sliceable);
  EXPECT_EQ(verdict("bytes 10-19/100", {{"etag", "W/\"1\""}}), SliceVerdict::not_sliceable);
  EXPECT_EQ(verdict("bytes 0-8/9", {}, 0), SliceVerdict::whole);
}

TEST(Slice, OfAnotherVersionThanTheOnesBeforeIsAChange) {
  const auto before = headers_of({{"etag", "\"1\""}, {"content-range", "bytes 0-9/100"}});
  const auto verdict = [&](std::string_view range, Lines more) {
    return judge_slice(part_of(range, {}, more), 1, 10, &before, kNow);
  };
  EXPECT_EQ(verdict("bytes 10-19/100", {{"etag", "\"1\""}}), SliceVerdict::fits);
  EXPECT_EQ(verdict("bytes 10-19/100", {{"etag", "\"2\""}}), SliceVerdict::changed);
  EXPECT_EQ(verdict("bytes 10-19/101", {{"etag", "\"1\""}}), SliceVerdict::changed);
  EXPECT_EQ(verdict("bytes 10-19/100", {}), SliceVerdict::changed);
}

} // namespace
} // namespace verge::policy
