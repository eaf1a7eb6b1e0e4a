#include "proxy/base/clock.h"

#include <gtest/gtest.h>

namespace verge {
namespace {

using namespace std::chrono_literals;

TEST(ManualClock, MovesBothTimesTogetherAndOnlyByHand) {
  ManualClock clock(WallTime(1'700'000'000s));
  const auto wall = clock.wall();
  const auto mono = clock.mono();
  EXPECT_EQ(wall, WallTime(1'700'000'000s));
  EXPECT_EQ(clock.mono(), mono);
  clock.advance(1500ms);
  EXPECT_EQ(clock.wall() - wall, 1500ms);
  EXPECT_EQ(clock.mono() - mono, 1500ms);
}

TEST(SystemClock, ShowsTheSystemsTimesInMilliseconds) {
  const SystemClock clock;
  const auto before = std::chrono::floor<Millis>(std::chrono::system_clock::now());
  const auto shown = clock.wall();
  const auto after = std::chrono::system_clock::now();
  EXPECT_LE(before, shown);
  EXPECT_LE(shown, after);
  const auto first = clock.mono();
  EXPECT_LE(first, clock.mono());
}

} // namespace
} // namespace verge
