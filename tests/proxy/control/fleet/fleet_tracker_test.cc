#include "proxy/control/fleet/fleet_tracker.h"

#include <gmock/gmock.h>

namespace verge::control {
namespace {

using State = FleetTracker::State;
using Life = FleetTracker::Life;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr size_t kMost = 100;

struct FleetTrackerTest : testing::Test {
  FleetTrackerTest() { tracker.set_nodes({"b:1", "c:1"}, now); }
  void both_live() {
    tracker.answered("b:1", "b", "instance-b", now);
    tracker.answered("c:1", "c", "instance-c", now);
  }
  void begin(const std::string& id) { tracker.begin(id, now, {"c", 7, WallTime(1000ms), 250, std::nullopt}); }
  bool applied(const std::string& address, const std::string& id, std::optional<uint64_t> entries = std::nullopt) {
    return tracker.applied(address, id, {"c", 3, WallTime(2000ms), 0, entries}, now);
  }
  FleetTracker::Status status(const std::string& id) {
    tracker.completed(id, now);
    return tracker.status(id, now).value();
  }
  FleetTracker::Question question(const std::string& address, const std::set<std::string>& asked = {}) {
    return tracker.question(address, asked, kMost, now);
  }
  MonoTime now{Millis(1'000'000)};
  FleetTracker tracker{"a", "instance-a", {5'000ms, 2'000ms, 3}};
};

TEST_F(FleetTrackerTest, APurgeWaitsForEveryNodeThatLives) {
  both_live();
  begin("p");
  EXPECT_EQ(status("p").state, State::waiting);
  EXPECT_FALSE(status("p").settled);
  now += 12ms;
  EXPECT_TRUE(applied("b:1", "p"));
  EXPECT_FALSE(applied("b:1", "p")) << "said twice";
  EXPECT_FALSE(tracker.completed("p", now));
  now += 8ms;
  EXPECT_TRUE(applied("c:1", "p"));
  const auto done = status("p");
  EXPECT_EQ(done.state, State::applied);
  EXPECT_TRUE(done.settled);
  ASSERT_EQ(done.rows.size(), 3U);
  EXPECT_EQ(done.rows[0].node, "a");
  EXPECT_EQ(done.rows[0].applied->after_us, 250U);
  EXPECT_EQ(done.rows[1].applied->after_us, 12'000U);
  EXPECT_EQ(done.rows[2].applied->after_us, 20'000U);
  EXPECT_EQ(done.rows[2].applied->seq, 3U);
}

TEST_F(FleetTrackerTest, ANodeThatIsSilentForLongIsDownAndNotWaitedFor) {
  both_live();
  begin("p");
  applied("b:1", "p");
  tracker.failed("c:1", "connection refused");
  now += 4'999ms;
  EXPECT_EQ(tracker.life("c:1", now), Life::live) << "it may be starting again";
  EXPECT_EQ(status("p").state, State::waiting);
  now += 1ms;
  tracker.answered("b:1", "b", "instance-b", now);
  EXPECT_EQ(tracker.life("c:1", now), Life::down);
  EXPECT_EQ(tracker.life("b:1", now), Life::live);
  const auto done = status("p");
  EXPECT_EQ(done.state, State::down);
  EXPECT_TRUE(done.settled);
  EXPECT_EQ(done.rows[2].state, State::down);
  EXPECT_EQ(done.rows[2].why, "connection refused");
  EXPECT_EQ(tracker.count(now).down, 1U);
  // It comes back: what was completed stays so, and it is waited for no more than asked.
  tracker.answered("c:1", "c", "instance-c2", now);
  EXPECT_TRUE(tracker.completed("p", now));
  EXPECT_THAT(question("c:1").ids, ElementsAre("p"));
  applied("c:1", "p");
  EXPECT_EQ(status("p").state, State::applied);
}

TEST_F(FleetTrackerTest, ANodeThatNeverAnsweredIsNeitherLiveNorAtOnceDown) {
  EXPECT_EQ(tracker.life("b:1", now), Life::unknown);
  begin("p");
  EXPECT_EQ(status("p").state, State::waiting);
  EXPECT_EQ(status("p").rows[1].node, "b:1") << "by its address";
  now += 5'000ms;
  EXPECT_EQ(status("p").state, State::down);
}

TEST_F(FleetTrackerTest, ThisNodeInItsOwnListAndSecondAddressesCountOnce) {
  tracker.set_nodes({"a:1", "b:1", "b:2"}, now);
  tracker.answered("a:1", "whatever", "instance-a", now);
  tracker.answered("b:1", "b", "instance-b", now);
  tracker.answered("b:2", "b", "instance-b", now);
  begin("p");
  applied("b:1", "p");
  EXPECT_EQ(status("p").state, State::applied);
  EXPECT_EQ(status("p").rows.size(), 2U);
  EXPECT_EQ(tracker.count(now).live, 1U);
  EXPECT_TRUE(question("a:1").empty());
  EXPECT_TRUE(question("b:2").empty());
}

TEST_F(FleetTrackerTest, TwoNodesOfOneNameAreTwo) {
  tracker.answered("b:1", "a", "instance-b", now);
  tracker.answered("c:1", "a", "instance-c", now);
  begin("p");
  EXPECT_EQ(status("p").rows.size(), 3U);
  EXPECT_EQ(status("p").state, State::waiting);
}

TEST_F(FleetTrackerTest, WhoLeavesIsNotWaitedForAndWhoJoinsLaterIsNotAsked) {
  both_live();
  begin("p");
  tracker.set_nodes({"b:1", "d:1"}, now);
  tracker.answered("d:1", "d", "instance-d", now);
  EXPECT_TRUE(question("d:1").empty());
  applied("b:1", "p");
  EXPECT_EQ(status("p").state, State::applied);
  EXPECT_FALSE(applied("d:1", "p")) << "not asked";
}

TEST_F(FleetTrackerTest, WhatWasNotCarriedIsAskedOfEachOnceAndThenToldAsUnsent) {
  both_live();
  begin("p");
  tracker.unsent("p", "no topic");
  EXPECT_TRUE(question("b:1").soon);
  EXPECT_FALSE(status("p").settled) << "they may have it another way";
  tracker.asked("b:1", {"p"});
  tracker.asked("c:1", {"p"});
  const auto told = status("p");
  EXPECT_TRUE(told.settled);
  EXPECT_EQ(told.state, State::unsent);
  EXPECT_EQ(told.unsent, "no topic");
  EXPECT_FALSE(question("b:1").soon);
  applied("b:1", "p");
  applied("c:1", "p");
  EXPECT_EQ(status("p").state, State::applied) << "each was given it";
  begin("q");
  tracker.unsent("q", "failed");
  tracker.unsent("q", "");
  EXPECT_EQ(status("q").state, State::waiting) << "the second try went through";
}

TEST_F(FleetTrackerTest, CountsAreWaitedForForAWhileOnly) {
  both_live();
  begin("p");
  tracker.want_counts("p");
  applied("b:1", "p", 5);
  applied("c:1", "p");
  EXPECT_EQ(status("p").state, State::applied);
  EXPECT_FALSE(status("p").settled);
  EXPECT_THAT(question("b:1").counts, IsEmpty());
  EXPECT_THAT(question("c:1").counts, ElementsAre("p"));
  tracker.count_here("p", 9);
  EXPECT_TRUE(applied("c:1", "p", 0));
  EXPECT_TRUE(status("p").settled);
  EXPECT_EQ(status("p").rows[0].applied->entries, 9U);
  EXPECT_EQ(status("p").rows[2].applied->entries, 0U);

  begin("q");
  tracker.want_counts("q");
  applied("b:1", "q");
  applied("c:1", "q");
  EXPECT_FALSE(status("q").settled);
  now += 2'000ms;
  EXPECT_TRUE(status("q").settled);
  EXPECT_THAT(question("c:1").counts, IsEmpty());
}

TEST_F(FleetTrackerTest, AsksTheNewestFirstAndNothingTwiceAtOnce) {
  both_live();
  begin("p");
  begin("q");
  EXPECT_THAT(question("b:1").ids, ElementsAre("q", "p"));
  EXPECT_THAT(question("b:1", {"q"}).ids, ElementsAre("p"));
  EXPECT_THAT(tracker.question("b:1", {}, 1, now).ids, ElementsAre("q"));
  applied("b:1", "q");
  EXPECT_THAT(question("b:1").ids, ElementsAre("p"));
  EXPECT_TRUE(question("nobody").empty());
}

TEST_F(FleetTrackerTest, TheOldestPurgeIsForgotten) {
  for (const char* id : {"p", "q", "r", "s"}) begin(id);
  EXPECT_FALSE(tracker.knows("p"));
  EXPECT_FALSE(tracker.status("p", now));
  EXPECT_FALSE(applied("b:1", "p"));
  EXPECT_THAT(question("b:1").ids, ElementsAre("s", "r", "q"));
}

TEST_F(FleetTrackerTest, SaysOnceWhatIsLate) {
  both_live();
  begin("p");
  now += 4'000ms;
  both_live();
  begin("q");
  EXPECT_THAT(tracker.late(now - 4'000ms, now), ElementsAre("p"));
  EXPECT_THAT(tracker.late(now - 4'000ms, now), IsEmpty());
}

TEST_F(FleetTrackerTest, AnotherPurgeByTheSameIdIsNoProof) {
  both_live();
  begin("p");
  EXPECT_FALSE(tracker.applied("b:1", "p", {"other", 3, {}, 0, {}}, now));
  EXPECT_EQ(status("p").state, State::waiting);
  tracker.begin("q", now, {"", 7, {}, 0, {}});
  EXPECT_TRUE(tracker.applied("b:1", "q", {"whatever", 3, {}, 0, {}}, now)) << "a carrier's id says enough";
}

TEST_F(FleetTrackerTest, APurgeOfANodeAloneIsDone) {
  tracker.set_nodes({}, now);
  begin("p");
  EXPECT_TRUE(tracker.completed("p", now));
  EXPECT_TRUE(status("p").settled);
}

} // namespace
} // namespace verge::control
