// Collapsing: who fetches, who follows, and how followers are let go.
#include <fmt/core.h>

#include <thread>

#include "tests/cache/cache_fixture.h"

namespace verge::cache {
namespace {

using namespace testing;

class FlightsTest : public CacheFixture {
 protected:
  void SetUp() override { start(false); }
};

TEST_F(FlightsTest, AThousandMissesOfOneKeyMakeOneFill) {
  auto fill = lead();
  int opened = 0;
  std::vector<EntryRef> followers;
  for (int i = 0; i < 999; ++i) {
    auto joined = join();
    ASSERT_FALSE(joined.fill);
    joined.entry->when_opened(loop_, [&] { ++opened; });
    followers.push_back(joined.entry);
  }
  EXPECT_EQ(cache_->stats().flights, 1u);
  fill->open_storing(head());
  loop_.run();
  EXPECT_EQ(opened, 999);
  fill->append("hello");
  fill->complete();
  for (const auto& entry : followers) ASSERT_EQ(body_of(entry), "hello");
  EXPECT_EQ(cache_->stats().flights, 0u);
}

TEST_F(FlightsTest, OtherKeysFlyByThemselves) {
  auto a = lead("https://a/1"), b = lead("https://a/2");
  EXPECT_NE(a->entry(), b->entry());
  EXPECT_EQ(cache_->stats().flights, 2u);
}

TEST_F(FlightsTest, ThreadsThatMissTogetherMakeOneFill) {
  std::atomic<int> fills{0};
  std::mutex mutex;
  std::vector<Cache::Join> joins;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 250; ++i) {
        auto joined = join();
        if (joined.fill) ++fills;
        std::lock_guard lock(mutex);
        joins.push_back(std::move(joined));
      }
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(fills, 1);
}

TEST_F(FlightsTest, WhenTheLeaderIsDestroyedFollowersLookAgainAndOneOfThemLeads) {
  auto fill = lead();
  auto follower = join().entry;
  int opened = 0;
  follower->when_opened(loop_, [&] { ++opened; });
  fill.reset();
  loop_.run();
  EXPECT_EQ(opened, 1);
  EXPECT_EQ(follower->state(), EntryState::failed);
  EXPECT_EQ(follower->error().code, Errc::closed);
  EXPECT_EQ(follower->error().side, Side::self);
  EXPECT_TRUE(join().fill);
}

TEST_F(FlightsTest, WhenTheLeaderIsDestroyedMidwayReadersFail) {
  auto fill = lead();
  fill->open_storing(head(10));
  fill->append("half");
  auto entry = join().entry;
  ASSERT_TRUE(entry);
  fill.reset();
  EXPECT_EQ(body_of(entry), "(failed)");
  EXPECT_FALSE(lookup().entry);
}

TEST_F(FlightsTest, FollowersHearTheOriginsFault) {
  auto fill = lead();
  auto follower = join().entry;
  fill->fail({Errc::timeout, Side::origin, Retry::never, "no answer"});
  EXPECT_EQ(follower->error().code, Errc::timeout);
  EXPECT_EQ(cache_->stats().flights, 0u);
}

TEST_F(FlightsTest, AnUncacheableAnswerIsTheLeadersAloneAndFollowersAreLetGo) {
  auto fill = lead();
  auto follower = join().entry;
  fill->open_passing(head());
  EXPECT_EQ(follower->error().code, Errc::refused);
  EXPECT_EQ(follower->error().side, Side::self);
  ASSERT_NE(fill->entry(), follower);
  fill->append("private");
  fill->complete();
  EXPECT_EQ(body_of(fill->entry()), "private");
  EXPECT_FALSE(lookup().entry);
}

TEST_F(FlightsTest, NobodyQueuesForAKeyFoundUncacheableAndOneFindsOutAnewWhenTheMemoryEnds) {
  lead()->open_passing(head());
  auto a = join(), b = join();
  EXPECT_TRUE(a.fill && b.fill);
  EXPECT_NE(a.fill->entry(), b.fill->entry());
  EXPECT_EQ(cache_->stats().flights, 0u);
  clock_.advance(10'001ms);
  auto c = join();
  EXPECT_TRUE(c.fill);
  EXPECT_EQ(cache_->stats().flights, 1u) << "this one finds out";
  EXPECT_TRUE(join().fill) << "the others don't wait for it";
  EXPECT_EQ(cache_->stats().flights, 1u);
  c.fill->open_passing(head());
  EXPECT_TRUE(join().fill);
  clock_.advance(60'001ms);
  auto d = join();
  EXPECT_TRUE(d.fill);
  EXPECT_FALSE(join().fill) << "forgotten: they collapse again";
}

TEST_F(FlightsTest, AKeyIsKnownUncacheableWhileItIsRemembered) {
  start(false);
  EXPECT_FALSE(cache_->known_uncacheable(kKey));
  lead()->open_passing(head());
  EXPECT_TRUE(cache_->known_uncacheable(kKey));
  EXPECT_FALSE(cache_->known_uncacheable("https://a.example/other"));
  clock_.advance(10s);
  EXPECT_FALSE(cache_->known_uncacheable(kKey));
}

TEST_F(FlightsTest, WhoKnowsAKeyForUncacheableIsBelievedAsLongAsThatHolds) {
  const auto join_knowing = [this](std::optional<MonoTime> known) {
    return cache_->join(kKey, loop_, [] {}, [] {}, known);
  };
  lead()->open_passing(head());
  const auto known = cache_->known_uncacheable(kKey);
  ASSERT_TRUE(known);
  auto a = join_knowing(known), b = join_knowing(known);
  EXPECT_TRUE(a.fill && b.fill);
  EXPECT_EQ(cache_->stats().flights, 0u);
  clock_.advance(10s);
  auto c = join_knowing(known);
  EXPECT_TRUE(c.fill);
  EXPECT_EQ(cache_->stats().flights, 1u) << "this one finds out";
}

TEST_F(FlightsTest, WhatWasSeenUncacheableAMomentAgoIsNotMarkedAgainAndLaterIs) {
  lead()->open_passing(head());
  const auto first = cache_->known_uncacheable(kKey);
  clock_.advance(1s);
  lead()->open_passing(head());
  EXPECT_EQ(cache_->known_uncacheable(kKey), first);
  clock_.advance(1s);
  lead()->open_passing(head());
  EXPECT_EQ(cache_->known_uncacheable(kKey), *first + 2s);
}

TEST_F(FlightsTest, AKeyThatTurnsOutCacheableIsCollapsedAgainAtOnce) {
  lead()->open_passing(head());
  auto fill = lead();
  fill->open_storing(head());
  fill->complete();
  auto next = join();
  EXPECT_TRUE(next.fill);
  EXPECT_FALSE(join().fill);
}

TEST_F(FlightsTest, UncacheableKeysAreRememberedInBoundedSpace) {
  Flights flights(clock_, 10s);
  const auto role = [&](const std::string& key) {
    const auto joined =
        flights.join(key, [](const Entry&) { return true; }, [] { return std::make_shared<Entry>(1, nullptr); });
    flights.end(key, joined.entry.get());
    return joined.role;
  };
  for (size_t i = 0; i < 2 * Flights::kMostUncacheable; ++i) flights.remember_uncacheable(fmt::format("k{}", i));
  size_t remembered = 0;
  for (size_t i = 0; i < 2 * Flights::kMostUncacheable; ++i) {
    remembered += role(fmt::format("k{}", i)) == Flights::Role::alone ? 1 : 0;
  }
  EXPECT_LE(remembered, Flights::kMostUncacheable);
  EXPECT_GT(remembered, Flights::kMostUncacheable / 2);
}

TEST_F(FlightsTest, AFreshened304LetsFollowersLookAgain) {
  store("hello");
  const EntryRef stale = lookup().entry;
  auto fill = lead();
  auto follower = join().entry;
  ASSERT_TRUE(follower);
  cache_->refresh(stale, head());
  fill->abandon();
  EXPECT_EQ(follower->error().code, Errc::closed);
  EXPECT_EQ(body_of(lookup().entry), "hello");
}

TEST_F(FlightsTest, AFetchBegunBeforeAPurgeIsNotJoinedAndNotKept) {
  auto fill = lead();
  auto asked_before = join().entry;
  purge("/x");
  auto fresh = join();
  ASSERT_TRUE(fresh.fill);
  fill->open_storing(head());
  fill->append("old");
  fill->complete();
  EXPECT_EQ(body_of(asked_before), "old") << "delivered to the one who asked";
  EXPECT_FALSE(lookup().entry);
  EXPECT_FALSE(join().fill) << "the new flight goes on";
  fresh.fill->open_storing(head());
  fresh.fill->append("new");
  fresh.fill->complete();
  EXPECT_EQ(body_of(lookup().entry), "new");
}

TEST_F(FlightsTest, APurgeWhileTheBodyIsOnItsWayCountsToo) {
  auto fill = lead();
  fill->open_storing(head());
  fill->append("old");
  purge("https://a.example/*");
  EXPECT_TRUE(join().fill);
  fill->complete();
  EXPECT_FALSE(lookup().entry);
}

TEST_F(FlightsTest, APurgeByTagCoversFlightsWhoseTagsNobodyKnowsYet) {
  auto fill = lead();
  purge_tag("home");
  EXPECT_TRUE(join().fill);
}

TEST_F(FlightsTest, APurgeByTagSparesAnOpenFlightWithoutThatTag) {
  auto tagged = head(100, "https://a/1"), other = head(100, "https://a/2");
  tagged->tags = {"home"};
  auto a = lead("https://a/1"), b = lead("https://a/2");
  a->open_storing(tagged);
  b->open_storing(other);
  purge_tag("home");
  EXPECT_TRUE(join("https://a/1").fill);
  EXPECT_FALSE(join("https://a/2").fill);
}

TEST_F(FlightsTest, AFlightThatWasReplacedDoesNotEndItsSuccessor) {
  auto old = lead();
  purge("/x");
  auto fresh = lead();
  old.reset();
  EXPECT_EQ(join().entry, fresh->entry());
}

TEST_F(FlightsTest, ALongDownloadIsNotJoinedOnceItsHeadIsStale) {
  auto fill = lead();
  fill->open_storing(head());
  EXPECT_FALSE(join().fill);
  clock_.advance(61s);
  EXPECT_TRUE(join().fill);
}

TEST_F(FlightsTest, WhatMustAlwaysBeValidatedIsSharedOnlyByThoseWhoAskedBefore) {
  auto fill = lead();
  auto before = join().entry;
  ASSERT_TRUE(before);
  auto h = head();
  h->freshness.always_validate = true;
  fill->open_storing(h);
  EXPECT_EQ(before->state(), EntryState::open);
  EXPECT_TRUE(join().fill);
}

} // namespace
} // namespace verge::cache
