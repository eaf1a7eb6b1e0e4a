#include "proxy/control/purge_engine.h"

#include <cstdlib>
#include <filesystem>

#include "tests/proxy/control/support/sns_world.h"

namespace verge::control {
namespace {

using testing::HasSubstr;

struct PurgeEngineTest : SnsWorld {
  Result<Purged> apply(PurgeCommand command) {
    std::optional<Result<Purged>> out;
    engine->apply(std::move(command), [&](Result<Purged> done) { out = std::move(done); });
    EXPECT_TRUE(until([&] { return out.has_value(); }));
    return std::move(*out);
  }
  static PurgeCommand command(const std::string& target, const std::string& id = "") {
    return {.door = Door::sqs, .who = "queue", .what = {{cache::parse_target(target).value()}, false, "", id}};
  }
  static uint64_t counted(const std::string& result) {
    const std::string text = metrics::render(), row = "verge_purges_total{source=\"sqs\",result=\"" + result + "\"} ";
    const auto at = text.find(row);
    return at == std::string::npos ? 0 : std::stoull(text.substr(at + row.size()));
  }
};

TEST_F(PurgeEngineTest, AppliesCountsAndLists) {
  const auto before = counted("applied");
  auto given = command("https://www.example.com/a", "m-1");
  given.event = "aws.codepipeline site SUCCEEDED";
  const auto done = apply(std::move(given));
  ASSERT_TRUE(done);
  EXPECT_EQ(done->seq, cache->epochs().current());
  EXPECT_FALSE(done->repeated);
  EXPECT_TRUE(purged("https://www.example.com/a"));
  EXPECT_EQ(counted("applied"), before + 1);
  const auto& row = engine->log().latest().front();
  EXPECT_EQ(row.source, "sqs queue");
  EXPECT_EQ(row.event, "aws.codepipeline site SUCCEEDED");
  EXPECT_EQ(row.id, "m-1");
  EXPECT_EQ(row.names, std::vector<std::string>{"https://www.example.com/a"});
}

TEST_F(PurgeEngineTest, ACommandWithAKnownIdIsDoneAlready) {
  const auto first = apply(command("/a", "m-1"));
  const auto again = apply(command("/a", "m-1"));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->repeated);
  EXPECT_EQ(again->seq, first->seq);
  EXPECT_EQ(cache->invalidations, 1);
  EXPECT_FALSE(apply(command("/a"))->repeated) << "without an id nothing is a repetition";
  EXPECT_FALSE(apply(command("/a"))->repeated);
}

TEST_F(PurgeEngineTest, SaysHowLongItTookToTakeEffectWithoutTheDisksSync) {
  cache->applying = [this] { clock.advance(Millis(3)); };
  std::optional<Result<Purged>> done;
  engine->apply(command("/a", "m-1"), [&](Result<Purged> d) { done = std::move(d); });
  clock.advance(Seconds(1)); // until it is on disk
  ASSERT_TRUE(until([&] { return done.has_value(); }));
  EXPECT_EQ((*done)->applied_us, 3'000u);
  EXPECT_EQ(engine->log().latest().front().applied_us, 3'000u);
  EXPECT_EQ(apply(command("/a", "m-1"))->applied_us, 3'000u) << "of then, not of the repetition";
}

TEST_F(PurgeEngineTest, ACommandBeyondItsSourcesLimitsChangesNothing) {
  const auto limits = PurgeLimits::create({{}, {"/blog/*"}, {}, false}).value();
  const auto before = counted("refused_path");
  auto given = command("/*");
  given.limits = &limits;
  const auto done = apply(std::move(given));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::refused);
  EXPECT_THAT(done.error().what, HasSubstr("sqs queue may not do that: \"/*\" reaches beyond allow.paths [/blog/*]"));
  EXPECT_EQ(cache->invalidations, 0);
  EXPECT_EQ(counted("refused_path"), before + 1);
  EXPECT_TRUE(engine->log().latest().empty());
}

TEST_F(PurgeEngineTest, WhatIsNotOnDiskIsNotAcknowledgedAndMayComeAgain) {
  cache->failing = true;
  const auto done = apply(command("/a", "m-1"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::storage);
  cache->failing = false;
  EXPECT_FALSE(apply(command("/a", "m-1"))->repeated);
}

TEST_F(PurgeEngineTest, AKnownIdWithOtherTargetsIsAnotherPurge) {
  const auto first = apply(command("/a", "m-1"));
  const auto other = apply(command("/b", "m-1"));
  EXPECT_FALSE(other->repeated) << "to leave it out could lose a purge";
  EXPECT_GT(other->seq, first->seq);
  EXPECT_TRUE(purged("https://www.example.com/b"));
}

// There somebody waits for an answer, and for proof by that id.
TEST_F(PurgeEngineTest, AnApiRefusesAKnownIdWithOtherTargets) {
  apply(command("/a", "m-1"));
  auto other = command("/b", "m-1");
  other.door = Door::admin;
  const auto done = apply(std::move(other));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::bad_input);
  EXPECT_THAT(done.error().what, HasSubstr("id m-1 is that of another purge"));
  EXPECT_FALSE(purged("https://www.example.com/b"));
}

TEST_F(PurgeEngineTest, TheSameCommandTwiceAtOnceIsAppliedOnce) {
  cache->holding = true;
  std::vector<Purged> done;
  for (int i = 0; i < 3; ++i) {
    engine->apply(command("/a", "m-1"), [&](Result<Purged> one) { done.push_back(one.value()); });
  }
  engine->apply(command("/b", "m-1"), [&](Result<Purged> one) { done.push_back(one.value()); });
  ASSERT_EQ(cache->held.size(), 2U);
  for (auto& task : cache->held) task();
  ASSERT_TRUE(until([&] { return done.size() == 4; }));
  EXPECT_FALSE(done[0].repeated);
  EXPECT_TRUE(done[1].repeated);
  EXPECT_TRUE(done[2].repeated);
  EXPECT_EQ(done[2].seq, done[0].seq);
  EXPECT_FALSE(done[3].repeated);
}

TEST_F(PurgeEngineTest, WhatAnApiTakesHasAnId) {
  auto given = command("/a");
  given.door = Door::fastly;
  const auto done = apply(std::move(given));
  EXPECT_THAT(done->id, testing::MatchesRegex("[0-9a-f]{32}"));
  EXPECT_NE(engine->log().find(done->id), nullptr);
  EXPECT_EQ(apply(command("/a"))->id, "");
}

// ---- The fleet

struct FakeCarrier final : PurgeCarrier {
  Result<> fits, carried;
  std::vector<std::string> told, taken;
  Result<> can_carry(const cache::Invalidation&) const override { return fits; }
  void applied(const PurgeRow& row, std::shared_ptr<const cache::Invalidation>) override { told.push_back(row.id); }
  void carry(const PurgeRow& row, const cache::Invalidation&, Carried done) override {
    taken.push_back(row.id);
    done(carried);
  }
};

TEST_F(PurgeEngineTest, WhatAnApiTookIsCarriedAndWhatWasCarriedIsNot) {
  FakeCarrier carrier;
  engine->carry_with(&carrier);
  auto own = command("/a", "p-1");
  own.door = Door::admin;
  EXPECT_TRUE(apply(std::move(own)));
  EXPECT_TRUE(apply(command("/a", "p-1"))->repeated) << "the node's own message comes back";
  EXPECT_TRUE(apply(command("/b", "m-1")));
  EXPECT_EQ(carrier.taken, std::vector<std::string>{"p-1"});
  EXPECT_EQ(carrier.told, (std::vector<std::string>{"p-1", "m-1"}));
  engine->carry_with(nullptr);
}

TEST_F(PurgeEngineTest, WhatCouldNotBeCarriedIsNotAcknowledgedAndIsCarriedAtTheNextTry) {
  FakeCarrier carrier;
  engine->carry_with(&carrier);
  const auto again = [&] {
    auto own = command("/a", "p-1");
    own.door = Door::admin;
    return apply(std::move(own));
  };
  carrier.carried = fail(Errc::closed, "not published");
  EXPECT_EQ(again().error().what, "not published");
  EXPECT_TRUE(purged("https://www.example.com/a"));
  carrier.carried = {};
  EXPECT_TRUE(again()->repeated);
  EXPECT_EQ(cache->invalidations, 1);
  carrier.fits = fail(Errc::too_large, "more than SNS takes", Side::client);
  auto large = command("/c");
  large.door = Door::admin;
  EXPECT_EQ(apply(std::move(large)).error().code, Errc::too_large);
  EXPECT_FALSE(purged("https://www.example.com/c")) << "nothing is done by halves";
  engine->carry_with(nullptr);
}

TEST_F(PurgeEngineTest, TheListAndTheIdsSurviveARestart) {
  char folder[] = "/tmp/verge-engine-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  open_cache(folder);
  const auto seq = apply(command("/a", "m-1"))->seq;
  apply(command("/b", "m-2"));
  cache->flush();
  settle();
  open_cache(folder);
  ASSERT_EQ(engine->log().latest().size(), 2U);
  EXPECT_EQ(engine->log().latest().back().seq, seq);
  EXPECT_EQ(engine->log().latest().back().time, clock.wall());
  EXPECT_TRUE(apply(command("/a", "m-1"))->repeated);
  open_cache("");
  std::filesystem::remove_all(folder);
}

TEST_F(PurgeEngineTest, TheOldestPurgeGoesWhenTheListIsFull) {
  for (size_t i = 0; i < PurgeLog::kKept + 10; ++i) apply(command("/a", "m-" + std::to_string(i)));
  EXPECT_EQ(engine->log().latest().size(), PurgeLog::kKept);
  EXPECT_EQ(engine->log().find("m-9"), nullptr);
  EXPECT_NE(engine->log().find("m-10"), nullptr);
}

TEST(PurgeNoteTest, AnythingElseIsNoRow) {
  const PurgeRow row{7, WallTime(Millis(1'000)), "admin", "", "id", 1, {"/a"}, true, "c", 5, 3};
  ASSERT_TRUE(from_note(to_note(row)));
  EXPECT_EQ(from_note(to_note(row))->content, "c");
  EXPECT_EQ(from_note(to_note(row))->took_us, 5U);
  EXPECT_EQ(from_note(to_note(row))->applied_us, 3U);
  for (const char* text : {"", "7", "{}", R"({"seq":-1})", R"({"seq":1,"time":1,"source":1})"}) {
    EXPECT_FALSE(from_note(text)) << text;
  }
}

} // namespace
} // namespace verge::control
