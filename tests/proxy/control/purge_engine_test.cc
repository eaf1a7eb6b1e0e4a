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
  const PurgeRow row{7, WallTime(Millis(1'000)), "admin", "", "id", 1, {"/a"}, true};
  ASSERT_TRUE(from_note(to_note(row)));
  for (const char* text : {"", "7", "{}", R"({"seq":-1})", R"({"seq":1,"time":1,"source":1})"}) {
    EXPECT_FALSE(from_note(text)) << text;
  }
}

} // namespace
} // namespace verge::control
