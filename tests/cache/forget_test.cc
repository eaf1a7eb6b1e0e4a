// When commands are forgotten, and which responses in memory are worth fetching again.
#include "tests/cache/cache_fixture.h"

namespace verge::cache {
namespace {

using namespace testing;

class ForgetTest : public CacheFixture {
 protected:
  size_t forget() {
    std::optional<size_t> rows;
    cache_->forget(loop_, [&](size_t n) { rows = n; });
    loop_.run();
    EXPECT_TRUE(rows);
    return rows.value_or(0);
  }
  std::vector<std::string> hot(std::string_view target, size_t most = 10) {
    Invalidation command;
    command.targets.push_back(*parse_target(target));
    std::vector<std::string> keys;
    cache_->hot(std::move(command), most, loop_, [&](std::vector<Cache::Hot> found) {
      for (const auto& h : found) keys.push_back(h.head->key);
    });
    loop_.run();
    return keys;
  }
  void store_and_use(const std::string& key, int times) {
    store("hello", key);
    for (int i = 0; i < times; ++i) lookup(key).entry->count_hit();
  }
};

constexpr auto kOther = "https://a.example/other";

TEST_F(ForgetTest, ACommandIsKeptAsLongAsSomethingStoredIsOlder) {
  start(true);
  store("hello");
  purge("/elsewhere");
  EXPECT_EQ(forget(), 0u);
  EXPECT_EQ(cache_->epochs().size(), 1u);
  cache_->erase(lookup().entry);
  EXPECT_EQ(forget(), 1u);
  EXPECT_EQ(cache_->epochs().size(), 0u);
  EXPECT_EQ(disk_->forgotten, 1u);
  EXPECT_EQ(disk_->oldest_kept, cache_->epochs().current());
}

TEST_F(ForgetTest, WhatIsStoredInMemoryOnlyCountsAsWell) {
  start(false);
  store("hello");
  purge("/elsewhere");
  store("hello", kOther);
  EXPECT_EQ(forget(), 0u);
  EXPECT_TRUE(lookup().entry);
  purge("/x");
  EXPECT_EQ(forget(), 1u) << "the older of the two: what it was kept for is dead, and stays so";
  EXPECT_FALSE(lookup().entry);
  EXPECT_TRUE(lookup(kOther).entry);
}

TEST_F(ForgetTest, WhatIsUnderWayCounts) {
  start(false);
  auto fill = lead();
  purge("/elsewhere");
  purge("/elsewhere");
  EXPECT_EQ(forget(), 0u);
  fill->open_storing(head(5));
  fill->append("hello");
  fill->complete();
  EXPECT_TRUE(lookup().entry) << "nothing named it";
  fill.reset();
}

TEST_F(ForgetTest, TheDeadDoNotHoldBackTheCommandThatEndedThem) {
  start(true);
  store("hello");
  purge("/x");
  EXPECT_EQ(forget(), 1u);
  EXPECT_FALSE(lookup().entry) << "older than all that is kept";
}

TEST_F(ForgetTest, WhatIsStaleHoldsBackTheCommandThatMarkedIt) {
  start(true);
  store("hello");
  purge("/x", true);
  EXPECT_EQ(forget(), 0u);
  EXPECT_EQ(lookup().verdict, Verdict::stale);
}

TEST_F(ForgetTest, ManyAreForgottenInSteps) {
  start(true);
  for (int i = 0; i < 2'500; ++i) purge("/p/" + std::to_string(i) + "*");
  store("hello");
  purge("/after");
  EXPECT_EQ(forget(), 2'500u);
  EXPECT_EQ(cache_->epochs().size(), 1u);
  EXPECT_TRUE(lookup().entry);
}

TEST_F(ForgetTest, OnlyWhatWasEndedAndAskedForIsWorthFetchingAgain) {
  start(false);
  store_and_use("https://a.example/img/1", 1);
  store_and_use("https://a.example/img/2", 3);
  store_and_use("https://a.example/img/never", 0);
  store_and_use("https://a.example/other", 5);
  EXPECT_TRUE(hot("/img/*").empty()) << "nothing is ended yet";
  purge("/img/*");
  EXPECT_EQ(hot("/img/*"), (std::vector<std::string>{"https://a.example/img/2", "https://a.example/img/1"}));
  EXPECT_EQ(hot("/img/*", 1), std::vector<std::string>{"https://a.example/img/2"});
}

TEST_F(ForgetTest, WhatAClientHasFetchedMeanwhileIsNot) {
  start(false);
  store_and_use("https://a.example/img/1", 2);
  purge("/img/*");
  store_and_use("https://a.example/img/1", 2);
  EXPECT_TRUE(hot("/img/*").empty());
}

} // namespace
} // namespace verge::cache
