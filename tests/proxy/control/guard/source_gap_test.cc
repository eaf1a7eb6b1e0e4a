#include "proxy/control/guard/source_gap.h"

#include <gtest/gtest.h>

namespace verge::control {
namespace {

using cache::Reception;
using namespace std::chrono_literals;
using Why = SourceGap::Why;

constexpr SourceGap::Limits kQueue{60s, 4 * 24h, 25s, false};
constexpr SourceGap::Limits kPosted{60s, 60s, 35s, true};

// Two clocks that a test moves together, or one alone.
struct Clocks {
  Moment now{WallTime(1'700'000'000s), MonoTime(1'000s)};
  Moment after(Millis by) {
    now.wall += by;
    now.mono += by;
    return now;
  }
  Proof proof(std::string boot = "a") const { return {now, std::move(boot)}; }
};

TEST(Elapsed, IsTheLongerOfWhatTheClocksSayAndNeverNegative) {
  const Moment from{WallTime(100s), MonoTime(50s)};
  EXPECT_EQ(elapsed(from, {WallTime(110s), MonoTime(52s)}), 10s) << "the machine slept";
  EXPECT_EQ(elapsed(from, {WallTime(90s), MonoTime(70s)}), 20s) << "the wall clock was set back";
  EXPECT_EQ(elapsed(from, {WallTime(90s), MonoTime(40s)}), 0s);
}

TEST(ProofNote, ComesBackAsItWasWrittenAndNothingElseDoes) {
  const Proof proof{{WallTime(1'700'000'000'123ms), MonoTime(42ms)}, "8f1c-77"};
  const auto back = proof_from_note(to_note(proof));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->at.wall, proof.at.wall);
  EXPECT_EQ(back->at.mono, proof.at.mono);
  EXPECT_EQ(back->boot, proof.boot);
  EXPECT_TRUE(proof_from_note("5 6 ")) << "a kernel that does not tell its boot";
  for (const auto* text : {"", "1", "1 2", "x 2 a", "1 y a", "99999999999999999999 2 a"}) {
    EXPECT_FALSE(proof_from_note(text)) << text;
  }
}

TEST(SourceGap, ANodeWithNothingStoredHasMissedNothing) {
  Clocks c;
  SourceGap gap(kQueue, c.now);
  EXPECT_EQ(gap.state(c.now), Reception::current);
  gap.look(c.after(60s));
  EXPECT_EQ(gap.state(c.now), Reception::current);
}

TEST(SourceGap, ASourceThatWasNeverReachedIsAGapOnceTheBoundHasPassed) {
  Clocks c;
  SourceGap gap(kQueue, c.now);
  gap.look(c.after(60s + 1ms));
  EXPECT_EQ(gap.state(c.now), Reception::guarded);
  EXPECT_EQ(gap.why(), Why::silence);
}

TEST(SourceGap, WhileItAnswersThereIsNone) {
  Clocks c;
  SourceGap gap(kQueue, c.now);
  for (int i = 0; i < 100; ++i) {
    gap.heard(c.now);
    gap.look(c.after(50s));
    EXPECT_EQ(gap.state(c.now), Reception::current);
  }
}

TEST(SourceGap, WhatCannotBeReadIsBehindUntilTheBoundAndGuardedFromThenOn) {
  Clocks c;
  SourceGap gap(kQueue, c.now);
  gap.heard(c.after(5s));
  const auto last = c.now;
  gap.lost(c.after(10s), false);
  EXPECT_EQ(gap.state(c.now), Reception::behind);
  EXPECT_EQ(gap.proved().wall, last.wall) << "the gap began when it last answered, not when that was noticed";
  EXPECT_FALSE(gap.guard_due(c.now));
  EXPECT_EQ(gap.state(c.after(50s)), Reception::behind);
  EXPECT_EQ(gap.state(c.after(1ms)), Reception::guarded);
  EXPECT_TRUE(gap.guard_due(c.now));
}

TEST(SourceGap, AnAnswerDoesNotCloseItTheQueueFoundEmptyDoes) {
  Clocks c;
  SourceGap gap(kQueue, c.now);
  gap.lost(c.after(10s), false);
  gap.heard(c.after(1s));
  EXPECT_EQ(gap.state(c.now), Reception::behind) << "what piled up is not read yet";
  EXPECT_TRUE(gap.proves(c.now));
  gap.close(c.now);
  EXPECT_EQ(gap.state(c.now), Reception::current);
}

TEST(SourceGap, WithoutOneNothingIsToBeProved) {
  Clocks c;
  EXPECT_FALSE(SourceGap(kQueue, c.now).proves(c.now));
}

TEST(SourceGap, MessagesGivenToACallThatWasLostAreWaitedFor) {
  Clocks c;
  SourceGap gap(kQueue, c.now);
  gap.lost(c.after(10s), true);
  EXPECT_FALSE(gap.proves(c.after(25s - 1ms))) << "some may still be hidden";
  EXPECT_TRUE(gap.proves(c.after(1ms)));
  gap.lost(c.now, true);
  EXPECT_FALSE(gap.proves(c.after(1s))) << "and so on for each such call";
}

TEST(SourceGap, ACallThatBeganBeforeTheNodeStoodStillProvesNothing) {
  Clocks c;
  SourceGap gap(kQueue, c.now);
  const auto began = c.now;
  gap.look(c.after(3h)); // the process was stopped
  EXPECT_EQ(gap.state(c.now), Reception::guarded);
  EXPECT_EQ(gap.why(), Why::silence);
  gap.heard(began);
  EXPECT_TRUE(gap.guard_due(c.now));
  EXPECT_EQ(gap.proved().wall, began.wall);
}

TEST(SourceGap, TheGuardIsRenewedEachTimeTheBoundHasPassedWhileItCannotBeRead) {
  Clocks c;
  SourceGap gap(kQueue, c.now);
  gap.lost(c.after(61s), false);
  ASSERT_TRUE(gap.guard_due(c.now));
  gap.guard(c.now);
  EXPECT_FALSE(gap.guard_due(c.after(60s)));
  EXPECT_TRUE(gap.guard_due(c.after(1ms))) << "what was validated a minute ago may have been invalidated since";
  gap.guard(c.now);
  gap.heard(c.after(50s));
  EXPECT_FALSE(gap.guard_due(c.after(30s))) << "it answers again: what is published now is read, with the rest";
  EXPECT_EQ(gap.state(c.now), Reception::guarded);
}

TEST(SourceGap, AShortRestartIsBehindAndAProofWaitsForWhatTheEarlierRunWasGiven) {
  Clocks c;
  const auto proof = c.proof();
  c.after(10s);
  SourceGap gap(kQueue, proof, "a", c.now);
  EXPECT_EQ(gap.state(c.now), Reception::behind);
  EXPECT_EQ(gap.why(), Why::restart);
  EXPECT_FALSE(gap.proves(c.after(24s)));
  EXPECT_TRUE(gap.proves(c.after(1s)));
  EXPECT_FALSE(gap.lost_some(c.now));
}

TEST(SourceGap, ALongRestartIsGuardedAtOnce) {
  Clocks c;
  const auto proof = c.proof();
  c.after(61s);
  SourceGap gap(kQueue, proof, "a", c.now);
  EXPECT_EQ(gap.state(c.now), Reception::guarded);
  EXPECT_TRUE(gap.guard_due(c.now));
  EXPECT_FALSE(gap.lost_some(c.now)) << "the queue has it all";
}

TEST(SourceGap, ARestartAfterTheQueuesRetentionHasLostSome) {
  Clocks c;
  const auto proof = c.proof();
  c.after(4 * 24h + 1ms);
  SourceGap gap(kQueue, proof, "a", c.now);
  EXPECT_TRUE(gap.lost_some(c.now));
}

TEST(SourceGap, AQueueThatCannotBeReadForLongerThanItKeepsHasLostSome) {
  Clocks c;
  const auto proof = c.proof();
  c.after(10s);
  SourceGap gap(kQueue, proof, "a", c.now);
  EXPECT_FALSE(gap.lost_some(c.after(3 * 24h)));
  EXPECT_TRUE(gap.lost_some(c.after(24h)));
}

TEST(SourceGap, ANodeWithResponsesAndNoProofDoesNotKnowHowLongItWasAway) {
  Clocks c;
  SourceGap gap(kQueue, std::nullopt, "a", c.now);
  EXPECT_EQ(gap.state(c.now), Reception::guarded);
  EXPECT_TRUE(gap.unknown());
  EXPECT_TRUE(gap.lost_some(c.now));
  EXPECT_EQ(gap.why(), Why::no_proof);
  EXPECT_FALSE(gap.proof("a")) << "nor will the next run";
  gap.close(c.after(30s));
  EXPECT_FALSE(gap.unknown());
  EXPECT_TRUE(gap.proof("a"));
}

TEST(SourceGap, AProofFromTheFutureTellsThatTheClockWasSetBackAndNothingElse) {
  Clocks c;
  auto proof = c.proof("another boot");
  proof.at.wall += 1h;
  SourceGap gap(kQueue, proof, "a", c.now);
  EXPECT_EQ(gap.state(c.now), Reception::guarded);
  EXPECT_EQ(gap.why(), Why::clock);
  EXPECT_TRUE(gap.lost_some(c.now));
}

TEST(SourceGap, WithinOneBootAClockThatIsSetBackDoesNotShortenIt) {
  Clocks c;
  const auto proof = c.proof();
  c.after(5 * 24h);
  c.now.wall -= 5 * 24h - 1s; // back to a second after the proof
  SourceGap same(kQueue, proof, "a", c.now);
  EXPECT_EQ(same.state(c.now), Reception::guarded);
  EXPECT_TRUE(same.lost_some(c.now));
  SourceGap other(kQueue, proof, "b", c.now);
  EXPECT_EQ(other.state(c.now), Reception::behind) << "another boot's clock says nothing";
}

TEST(SourceGap, AClockSetBackWhileItRunsDoesNotShortenItEither) {
  Clocks c;
  SourceGap gap(kQueue, c.now);
  c.now.wall -= 24h;
  gap.look(c.after(61s));
  EXPECT_EQ(gap.state(c.now), Reception::guarded);
}

TEST(SourceGap, AnOpenGapIsCarriedOverTheNextRestart) {
  Clocks c;
  const auto first = c.proof();
  c.after(30s);
  SourceGap gap(kQueue, first, "a", c.now);
  c.after(40s);
  const auto kept = gap.proof("a");
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->at.wall, first.at.wall) << "nothing was proved meanwhile";
  SourceGap next(kQueue, kept, "a", c.now);
  EXPECT_EQ(next.state(c.now), Reception::guarded);
}

TEST(SourceGap, WhatIsPostedAgainIsAllHereWhenWhoPostsHasTriedOnceMore) {
  Clocks c;
  const auto proof = c.proof();
  c.after(50s);
  SourceGap gap(kPosted, proof, "a", c.now);
  EXPECT_EQ(gap.state(c.now), Reception::behind);
  gap.heard(c.after(11s));
  EXPECT_EQ(gap.state(c.now), Reception::guarded);
  EXPECT_FALSE(gap.proves(c.now));
  EXPECT_TRUE(gap.proves(c.after(24s)));
  EXPECT_FALSE(gap.lost_some(c.now)) << "it was down for less than SNS tries, whatever it waited since";
}

TEST(SourceGap, WhoPostsHasGivenUpAfterALongerGapThanHeTries) {
  Clocks c;
  const auto proof = c.proof();
  c.after(61s);
  SourceGap gap(kPosted, proof, "a", c.now);
  EXPECT_TRUE(gap.lost_some(c.after(35s)));
}

TEST(SourceGap, PostedEventsAreMissedWhileTheProcessStandsStill) {
  Clocks c;
  SourceGap gap(kPosted, c.now);
  gap.look(c.after(90s)); // looked at every second else
  EXPECT_EQ(gap.state(c.now), Reception::guarded);
  EXPECT_FALSE(gap.proves(c.after(34s)));
  EXPECT_TRUE(gap.proves(c.after(1s)));
  EXPECT_TRUE(gap.lost_some(c.now));
}

} // namespace
} // namespace verge::control
