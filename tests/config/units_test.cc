#include "config/units.h"

#include <gtest/gtest.h>

namespace verge::config {
namespace {

using namespace std::chrono_literals;

TEST(Sizes, AreOctetsWithDecimalOrBinaryUnits) {
  EXPECT_EQ(*parse_size("4096"), 4096u);
  EXPECT_EQ(*parse_size("0"), 0u);
  EXPECT_EQ(*parse_size("12B"), 12u);
  EXPECT_EQ(*parse_size("64KB"), 64'000u);
  EXPECT_EQ(*parse_size("64KiB"), 65'536u);
  EXPECT_EQ(*parse_size("256MiB"), 256u << 20);
  EXPECT_EQ(*parse_size("10GiB"), 10ull << 30);
  EXPECT_EQ(*parse_size("10 GiB"), 10ull << 30);
  EXPECT_EQ(*parse_size("2TB"), 2'000'000'000'000u);
}

TEST(Sizes, RefuseWhatIsNotOne) {
  for (const auto* bad : {"", "GiB", "1.5GiB", "10G", "10 gib", "-1KB", "010KB", "1  KB", "16EiB",
                          "99999999999999999999", "1KB ", "0x10"}) {
    EXPECT_FALSE(parse_size(bad)) << bad;
  }
}

TEST(Durations, AlwaysHaveAUnit) {
  EXPECT_EQ(*parse_duration("250ms"), 250ms);
  EXPECT_EQ(*parse_duration("0s"), 0s);
  EXPECT_EQ(*parse_duration("30s"), 30s);
  EXPECT_EQ(*parse_duration("5m"), 5min);
  EXPECT_EQ(*parse_duration("1h"), 1h);
  EXPECT_EQ(*parse_duration("1d"), 24h);
  EXPECT_EQ(*parse_duration("2w"), 14 * 24h);
  EXPECT_EQ(*parse_duration("1y"), 365 * 24h);
  EXPECT_EQ(parse_duration("30").error().what, "\"30\" has no unit; write 30s for seconds, or ms, m, h, d, w, y");
  for (const auto* bad : {"", "s", "1.5s", "30sec", "-1s", "010s", "99999999999999y"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST(Counts, AreDecimalWithoutLeadingZero) {
  EXPECT_EQ(*parse_count("0"), 0u);
  EXPECT_EQ(*parse_count("18446744073709551615"), UINT64_MAX);
  for (const auto* bad : {"", "010", "00", "0x10", "1e3", "+1", " 1", "1_000", "18446744073709551616"}) {
    EXPECT_FALSE(parse_count(bad)) << bad;
  }
}

TEST(Bools, KnowThreeWordsForEach) {
  for (const auto* yes : {"true", "on", "yes"}) EXPECT_TRUE(*parse_bool(yes));
  for (const auto* no : {"false", "off", "no"}) EXPECT_FALSE(*parse_bool(no));
  for (const auto* bad : {"", "1", "True", "y", "enabled"}) EXPECT_FALSE(parse_bool(bad)) << bad;
}

TEST(Formats, UseTheLargestUnitThatLeavesNoRest) {
  EXPECT_EQ(format_size(0), "0");
  EXPECT_EQ(format_size(1500), "1500");
  EXPECT_EQ(format_size(10ull << 30), "10GiB");
  EXPECT_EQ(format_duration(0s), "0s");
  EXPECT_EQ(format_duration(1500ms), "1500ms");
  EXPECT_EQ(format_duration(90s), "90s");
  EXPECT_EQ(format_duration(7 * 24h), "7d");
  EXPECT_EQ(format_duration(365 * 24h), "1y");
}

} // namespace
} // namespace verge::config
