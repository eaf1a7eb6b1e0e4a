#include "cache/invalidate/epochs.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace verge::cache {
namespace {

class EpochsTest : public testing::Test {
 protected:
  Target target(std::string_view text) {
    auto t = parse_target(text);
    EXPECT_TRUE(t.has_value()) << text << ": " << (t ? "" : t.error().what);
    return t.value_or(Target{});
  }
  uint64_t purge(std::string_view text, bool soft = false) { return purge(target(text), soft); }
  uint64_t purge(Target t, bool soft = false) {
    changed.clear();
    return epochs.apply({{std::move(t)}, soft, "test", ""}, changed);
  }
  Verdict check(std::string_view key, uint64_t seq, const std::vector<std::string>& tags = {}) {
    return epochs.check(key, tags, seq);
  }
  Epochs epochs;
  std::vector<EpochRow> changed;
};

constexpr auto kPage = "https://www.example.com/a";

TEST_F(EpochsTest, EverythingIsLiveWhileNothingWasInvalidated) {
  EXPECT_EQ(check(kPage, epochs.current(), {"home"}), Verdict::live);
  EXPECT_EQ(epochs.size(), 0U);
}

TEST_F(EpochsTest, AFetchSentBeforeTheCommandIsDeadAndOneSentAfterItIsLive) {
  const uint64_t before = epochs.current();
  const uint64_t seq = purge("/a");
  EXPECT_EQ(seq, before + 1);
  EXPECT_EQ(epochs.current(), seq);
  EXPECT_EQ(check(kPage, before), Verdict::dead);
  EXPECT_EQ(check(kPage, epochs.current()), Verdict::live);
}

TEST_F(EpochsTest, ASoftCommandMarksStaleAndAHardOneKills) {
  const uint64_t seq = epochs.current();
  purge("/a", true);
  EXPECT_EQ(check(kPage, seq), Verdict::stale);
  purge("/a", false);
  EXPECT_EQ(check(kPage, seq), Verdict::dead);
}

TEST_F(EpochsTest, ASoftCommandAfterAHardOneDoesNotBringTheDeadBack) {
  const uint64_t seq = epochs.current();
  purge("/a", false);
  const uint64_t between = epochs.current();
  purge("/a", true);
  EXPECT_EQ(check(kPage, seq), Verdict::dead);
  EXPECT_EQ(check(kPage, between), Verdict::stale);
}

TEST_F(EpochsTest, AllOfAWildcardHostCoversWhatLiesBelowIt) {
  purge(Target{Target::Kind::all, "*.example.org", ""});
  EXPECT_EQ(check("https://a.example.org/x", 1), Verdict::dead);
  EXPECT_EQ(check("https://b.a.example.org/x", 1), Verdict::dead);
  EXPECT_EQ(check("https://example.org/x", 1), Verdict::live);
  EXPECT_EQ(check("https://badexample.org/x", 1), Verdict::live);
  ASSERT_TRUE(epochs.blame("https://a.example.org/x", {}, 1));
  EXPECT_FALSE(epochs.blame("https://example.org/x", {}, 1));
  EXPECT_EQ(epochs.forget_below(epochs.current(), 100).size(), 1U);
  EXPECT_EQ(check("https://a.example.org/x", epochs.current()), Verdict::live);
}

TEST_F(EpochsTest, AnExactPathCoversNeitherQueriesNorWhatLiesBelow) {
  const uint64_t seq = epochs.current();
  purge("/a");
  EXPECT_EQ(check("https://www.example.com/a", seq), Verdict::dead);
  EXPECT_EQ(check("https://www.example.com/a?x=1", seq), Verdict::live);
  EXPECT_EQ(check("https://www.example.com/a/", seq), Verdict::live);
  EXPECT_EQ(check("https://www.example.com/a/b", seq), Verdict::live);
  EXPECT_EQ(check("https://www.example.com/A", seq), Verdict::live);
}

TEST_F(EpochsTest, AnExactPathWithQueryCoversJustThatQuery) {
  const uint64_t seq = epochs.current();
  purge("/a?x=1");
  EXPECT_EQ(check("https://www.example.com/a?x=1", seq), Verdict::dead);
  EXPECT_EQ(check("https://www.example.com/a?x=2", seq), Verdict::live);
  EXPECT_EQ(check("https://www.example.com/a", seq), Verdict::live);
}

TEST_F(EpochsTest, ATrailingStarCoversThePathItsQueriesAndAllThatBeginsLikeIt) {
  const uint64_t seq = epochs.current();
  purge("/a*");
  for (const char* path : {"/a", "/a?x=1", "/a/", "/a/b/c", "/abc"})
    EXPECT_EQ(check(std::string("https://www.example.com") + path, seq), Verdict::dead) << path;
  EXPECT_EQ(check("https://www.example.com/b", seq), Verdict::live);
  EXPECT_EQ(check("https://www.example.com/", seq), Verdict::live);
}

TEST_F(EpochsTest, AFolderPatternCoversTheFolderItselfAndEverythingBelow) {
  const uint64_t seq = epochs.current();
  purge("/img/*");
  for (const char* path : {"/img/", "/img/?v=2", "/img/a.png", "/img/x/y/z.png?w=3"})
    EXPECT_EQ(check(std::string("https://www.example.com") + path, seq), Verdict::dead) << path;
  for (const char* path : {"/img", "/img?x", "/imgs/a.png", "/x/img/a.png"})
    EXPECT_EQ(check(std::string("https://www.example.com") + path, seq), Verdict::live) << path;
}

TEST_F(EpochsTest, AnInnerStarMatchesAnyRunOfCharactersSlashesIncluded) {
  const uint64_t seq = epochs.current();
  purge("/img/*/thumb*.png");
  EXPECT_EQ(check("https://h.example/img/a/b/thumb-1.png", seq), Verdict::dead);
  EXPECT_EQ(check("https://h.example/img/a/thumb.png", seq), Verdict::dead);
  EXPECT_EQ(check("https://h.example/img/thumb.png", seq), Verdict::live);
  EXPECT_EQ(check("https://h.example/img/a/thumb.png?x", seq), Verdict::live);
  purge("*.css");
  EXPECT_EQ(check("https://h.example/deep/site.css", seq), Verdict::dead);
  EXPECT_EQ(check("https://h.example/deep/site.css.map", seq), Verdict::live);
}

TEST_F(EpochsTest, AllOfOneHostLeavesOtherHostsAlone) {
  const uint64_t seq = epochs.current();
  purge("https://www.example.com/*");
  EXPECT_EQ(check("https://www.example.com/x", seq), Verdict::dead);
  EXPECT_EQ(check("https://www.example.com/", seq), Verdict::dead);
  EXPECT_EQ(check("https://www.example.com.evil.example/x", seq), Verdict::live);
  EXPECT_EQ(check("https://example.com/x", seq), Verdict::live);
}

TEST_F(EpochsTest, StarAloneCoversEveryHost) {
  for (const char* text : {"*", "/*"}) {
    const uint64_t seq = epochs.current();
    purge(text);
    EXPECT_EQ(check("https://www.example.com/x", seq), Verdict::dead);
    EXPECT_EQ(check("http://other.example:8080/", seq), Verdict::dead);
  }
}

TEST_F(EpochsTest, ATargetWithoutHostCoversThatPathOnEveryHost) {
  const uint64_t seq = epochs.current();
  purge("/a");
  EXPECT_EQ(check("https://www.example.com/a", seq), Verdict::dead);
  EXPECT_EQ(check("http://other.example/a", seq), Verdict::dead);
}

TEST_F(EpochsTest, ATargetWithHostCoversBothSchemesAndEveryPortOfThatHostOnly) {
  const uint64_t seq = epochs.current();
  purge("http://www.example.com/a");
  purge("https://www.example.com/dir/*");
  purge("www.example.com/x*.js");
  for (const char* path : {"/a", "/dir/b", "/x1.js"}) {
    EXPECT_EQ(check(std::string("https://www.example.com") + path, seq), Verdict::dead) << path;
    EXPECT_EQ(check(std::string("http://www.example.com") + path, seq), Verdict::dead) << path;
    EXPECT_EQ(check(std::string("https://www.example.com:8443") + path, seq), Verdict::dead) << path;
    EXPECT_EQ(check(std::string("https://example.com") + path, seq), Verdict::live) << path;
  }
}

TEST_F(EpochsTest, ATagCoversResponsesThatCarryItWithoutRegardToCase) {
  const uint64_t seq = epochs.current();
  purge(Target{Target::Kind::tag, "", "HOME"});
  EXPECT_EQ(check(kPage, seq, {"news", "home"}), Verdict::dead);
  EXPECT_EQ(check(kPage, seq, {"news", "homepage"}), Verdict::live);
  EXPECT_EQ(check(kPage, seq), Verdict::live);
}

TEST_F(EpochsTest, ATagOfOneHostLeavesTheSameTagOfOthersAlone) {
  const uint64_t seq = epochs.current();
  purge(Target{Target::Kind::tag, "www.example.com", "home"});
  EXPECT_EQ(check("https://www.example.com/a", seq, {"home"}), Verdict::dead);
  EXPECT_EQ(check("https://other.example/a", seq, {"home"}), Verdict::live);
}

TEST_F(EpochsTest, OneCommandWithManyTargetsTakesOneSeqAndReportsEachChangedRow) {
  const uint64_t before = epochs.current();
  std::vector<EpochRow> rows;
  const uint64_t seq =
      epochs.apply({{target("/a"), target("/b/*"), Target{Target::Kind::tag, "", "t"}}, false, "test", "1"}, rows);
  EXPECT_EQ(seq, before + 1);
  ASSERT_EQ(rows.size(), 3U);
  for (const auto& row : rows) {
    EXPECT_EQ(row.hard, seq);
    EXPECT_EQ(row.soft, 0U);
  }
  rows.clear();
  epochs.apply({{target("/a")}, true, "test", "2"}, rows);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].hard, seq);
  EXPECT_EQ(rows[0].soft, seq + 1);
}

TEST_F(EpochsTest, RepeatingACommandIsHarmlessAndKeepsOneRow) {
  purge("/a");
  purge("/a");
  EXPECT_EQ(epochs.size(), 1U);
  EXPECT_EQ(check(kPage, epochs.current()), Verdict::live);
}

TEST_F(EpochsTest, RestoredRowsJudgeAsTheyDidBeforeTheRestart) {
  const uint64_t seq = epochs.current();
  std::vector<EpochRow> rows;
  epochs.apply({{target("/a"), target("/b/*"), target("/c/*.js"), target("https://h.example/*"),
                 Target{Target::Kind::tag, "", "t"}},
                false,
                "test",
                ""},
               rows);
  Epochs again;
  for (const auto& row : rows) again.restore(row);
  again.restore_current(epochs.current() + 5);
  EXPECT_EQ(again.current(), epochs.current() + 5);
  for (const char* key :
       {"https://x.example/a", "https://x.example/b/1", "https://x.example/c/1.js", "https://h.example/z"}) {
    EXPECT_EQ(again.check(key, {}, seq), Verdict::dead) << key;
    EXPECT_EQ(again.check(key, {}, seq + 1), Verdict::live) << key;
  }
  EXPECT_EQ(again.check("https://x.example/z", {"t"}, seq), Verdict::dead);
}

TEST_F(EpochsTest, ARestoredRowRaisesCurrentSoThatTheNextCommandIsNewer) {
  Epochs again;
  again.restore({target("/a"), 41, 7});
  EXPECT_EQ(again.current(), 41U);
  std::vector<EpochRow> rows;
  EXPECT_EQ(again.apply({{target("/a")}, false, "", ""}, rows), 42U);
}

TEST_F(EpochsTest, TheLatestCommandThatCoversAResponseIsNamed) {
  const uint64_t seq = epochs.current();
  EXPECT_FALSE(epochs.blame(kPage, {"home"}, seq));
  purge("/other");
  EXPECT_FALSE(epochs.blame(kPage, {"home"}, seq));
  purge("/a*");
  purge(Target{Target::Kind::tag, "", "home"});
  const uint64_t last = purge("https://www.example.com/a", true);
  const auto row = epochs.blame(kPage, {"home"}, seq);
  ASSERT_TRUE(row);
  EXPECT_EQ(row->target.kind, Target::Kind::exact);
  EXPECT_EQ(row->target.host, "www.example.com");
  EXPECT_EQ(row->target.value, "/a");
  EXPECT_EQ(row->soft, last);
  EXPECT_EQ(row->hard, 0U);
  EXPECT_EQ(epochs.blame("https://b.example/x", {"home"}, seq)->target.kind, Target::Kind::tag);
  EXPECT_EQ(epochs.blame("https://b.example/ab", {}, seq)->target.kind, Target::Kind::pattern);
  EXPECT_FALSE(epochs.blame(kPage, {"home"}, last)) << "fetched after it";
  purge("*");
  EXPECT_EQ(epochs.blame(kPage, {}, seq)->target.kind, Target::Kind::all);
}

TEST_F(EpochsTest, AGuardHoldsBackWhatIsOlderAndLeavesWhatIsFetchedAfterIt) {
  const uint64_t before = epochs.current();
  epochs.guard(WallTime(Seconds(7)));
  EXPECT_EQ(check(kPage, before), Verdict::guarded);
  EXPECT_EQ(check(kPage, epochs.current()), Verdict::live);
  EXPECT_EQ(epochs.reception(), Reception::guarded);
  EXPECT_EQ(epochs.proved(), WallTime(Seconds(7)));
  EXPECT_EQ(epochs.size(), 0U) << "nothing is to be persisted";
}

TEST_F(EpochsTest, ALiftedGuardLeavesNothingBehind) {
  const uint64_t before = epochs.current();
  epochs.guard({});
  epochs.tell(Reception::guarded, {});
  EXPECT_EQ(check(kPage, before), Verdict::guarded) << "told again";
  epochs.tell(Reception::current, {});
  EXPECT_EQ(check(kPage, before), Verdict::live);
  EXPECT_EQ(epochs.reception(), Reception::current);
}

TEST_F(EpochsTest, AGuardThatIsRenewedHoldsBackWhatWasValidatedUnderTheFormerOne) {
  epochs.guard({});
  const uint64_t validated = epochs.current();
  EXPECT_EQ(check(kPage, validated), Verdict::live);
  epochs.guard({});
  EXPECT_EQ(check(kPage, validated), Verdict::guarded);
}

TEST_F(EpochsTest, UnderAGuardTheDeadStayDeadAndTheStaleAreGuarded) {
  const uint64_t seq = epochs.current();
  purge("/a");
  purge("/b", true);
  epochs.guard({});
  EXPECT_EQ(check(kPage, seq), Verdict::dead);
  EXPECT_EQ(check("https://www.example.com/b", seq), Verdict::guarded);
  epochs.tell(Reception::behind, {});
  EXPECT_EQ(check("https://www.example.com/b", seq), Verdict::stale);
}

TEST_F(EpochsTest, RowsThatNoStoredResponseCanBeOlderThanAreForgotten) {
  const uint64_t seq = epochs.current();
  purge("/old");
  purge("https://h.example/old/*");
  purge("/old/*.x");
  purge(Target{Target::Kind::tag, "h.example", "old"});
  const uint64_t oldest = epochs.current();
  purge("/new/*");
  purge("/new/*.x");
  const auto gone = epochs.forget_below(oldest, 100);
  ASSERT_EQ(gone.size(), 4U);
  EXPECT_EQ(epochs.size(), 2U);
  for (const auto& t : gone) EXPECT_NE(t.value.find("old"), std::string::npos);
  EXPECT_EQ(check("https://h.example/old/1", oldest), Verdict::live);
  EXPECT_EQ(check("https://h.example/other", seq), Verdict::dead) << "nothing as old was stored, so this can't be";
  EXPECT_EQ(check("https://h.example/new/1", oldest), Verdict::dead);
}

TEST_F(EpochsTest, RowsAreForgottenTheOldestFirstAndAFewAtATime) {
  for (int i = 0; i < 10; ++i) purge("/p/" + std::to_string(i) + "/*");
  purge("/p/0/*"); // named again: it is the newest now
  const uint64_t oldest = epochs.current() - 1;
  const auto gone = epochs.forget_below(oldest, 4);
  ASSERT_EQ(gone.size(), 4U);
  EXPECT_EQ(gone.front().value, "/p/1/*");
  EXPECT_EQ(epochs.size(), 6U);
  EXPECT_EQ(epochs.forget_below(oldest, 100).size(), 5U);
  EXPECT_EQ(check("https://h.example/p/0/x", oldest), Verdict::dead) << "this one is kept";
  EXPECT_EQ(check("https://h.example/p/9/x", oldest), Verdict::live);
}

TEST_F(EpochsTest, WhatWasForgottenCanBeNamedAgain) {
  const std::vector<Target> targets = {{Target::Kind::pattern, "", "/a/*"},
                                       {Target::Kind::pattern, "", "/a/*.x"},
                                       {Target::Kind::all, "*.example", ""},
                                       {Target::Kind::tag, "h.example", "t"},
                                       {Target::Kind::exact, "", "/a/b.x"}};
  for (const auto& t : targets) purge(t);
  EXPECT_EQ(epochs.forget_below(epochs.current(), 100).size(), targets.size());
  for (const auto& t : targets) {
    const uint64_t seq = epochs.current();
    EXPECT_EQ(check("https://h.example/a/b.x", seq, {"t"}), Verdict::live);
    purge(t);
    EXPECT_EQ(check("https://h.example/a/b.x", seq, {"t"}), Verdict::dead) << to_text(t);
  }
}

TEST_F(EpochsTest, AHundredThousandCommandsStillJudgeEachKeyRight) {
  const uint64_t seq = epochs.current();
  for (int i = 0; i < 100'000; ++i) {
    const auto n = std::to_string(i);
    std::vector<EpochRow> rows;
    Target t;
    if (i % 4 == 0) t = {Target::Kind::exact, "", "/e/" + n};
    if (i % 4 == 1) t = {Target::Kind::pattern, "", "/p/" + n + "/*"};
    if (i % 4 == 2) t = {Target::Kind::tag, "", "t" + n};
    if (i % 4 == 3) t = {Target::Kind::pattern, "h.example", "/g/" + n + "/*.css"};
    epochs.apply({{t}, false, "", ""}, rows);
  }
  EXPECT_EQ(epochs.size(), 100'000U);
  for (int i = 0; i < 100'000; i += 997) {
    const auto n = std::to_string(i);
    const std::string h = "https://h.example";
    EXPECT_EQ(check(h + "/e/" + n, seq), i % 4 == 0 ? Verdict::dead : Verdict::live);
    EXPECT_EQ(check(h + "/p/" + n + "/x", seq), i % 4 == 1 ? Verdict::dead : Verdict::live);
    EXPECT_EQ(check(h + "/", seq, {"t" + n}), i % 4 == 2 ? Verdict::dead : Verdict::live);
    EXPECT_EQ(check(h + "/g/" + n + "/x.css", seq), i % 4 == 3 ? Verdict::dead : Verdict::live);
    EXPECT_EQ(check("https://other.example/g/" + n + "/x.css", seq), Verdict::live);
  }
}

TEST_F(EpochsTest, WhoReadsTheSeqOfACommandIsNeverCoveredByItAndWhoReadLessAlwaysIs) {
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> applied{epochs.current()}; // apply() has returned for all up to here
  std::atomic<int> wrong{0};
  std::vector<std::thread> lookers;
  for (int i = 0; i < 2; ++i) {
    lookers.emplace_back([&] {
      while (!stop.load()) {
        const uint64_t done = applied.load();
        const uint64_t fetch = epochs.current();
        if (epochs.check(kPage, {}, done - 1) != Verdict::dead && done > 1) ++wrong;
        const Verdict v = epochs.check(kPage, {}, fetch);
        if (v == Verdict::dead && epochs.current() == fetch) ++wrong;
      }
    });
  }
  for (int i = 0; i < 2'000; ++i) {
    std::vector<EpochRow> rows;
    applied = epochs.apply({{Target{Target::Kind::exact, "", "/a"}}, false, "", ""}, rows);
  }
  stop = true;
  for (auto& t : lookers) t.join();
  EXPECT_EQ(wrong.load(), 0);
}

} // namespace
} // namespace verge::cache
