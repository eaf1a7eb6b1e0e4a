// No-Vary-Search over the face of the cache: the same over RAM and over a disk.
#include "cache/policy/search.h"

#include "cache/cache.h"
#include "tests/cache/cache_fixture.h"

namespace verge::cache {
namespace {

using namespace testing;

constexpr std::string_view kUrl = "https://a.example/p?id=1&utm=x", kOther = "https://a.example/p?utm=y&id=1",
                           kSecond = "https://a.example/p?id=2";
constexpr std::string_view kRule = "key-order, params=(\"utm\")";

class SearchTest : public CacheFixture, public ::testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    CacheOptions options;
    if (GetParam()) options.ram_object_bytes = 0; // only the disk keeps bodies
    start(GetParam(), options);
  }
  // As admit files what an origin answers to `url`.
  std::shared_ptr<StoredHead> filed(std::string_view url, std::string_view rule) {
    auto h = head(std::nullopt, url);
    h->headers.add("no-vary-search", rule);
    const auto read = policy::search_rule(h->headers);
    if (read) {
      h->url = url;
      h->key = policy::search_key(url, *read);
    }
    return h;
  }
  void fetch(std::string_view url, std::string_view body, std::string_view rule = kRule) {
    auto fill = lead(url);
    fill->open_storing(filed(url, rule));
    fill->append(body);
    fill->complete();
    if (disk_ != nullptr) disk_->write();
    loop_.run();
  }
  bool holds(std::string_view url) { return lookup(url).entry != nullptr; }
};
INSTANTIATE_TEST_SUITE_P(Tiers, SearchTest, ::testing::Bool(),
                         [](const auto& tier) { return tier.param ? "Disk" : "Ram"; });

TEST_P(SearchTest, AnEquivalentQueryIsAnsweredAndNoOther) {
  fetch(kUrl, "one");
  EXPECT_TRUE(holds(kUrl));
  EXPECT_TRUE(holds(kOther));
  EXPECT_TRUE(holds("https://a.example/p?id=1"));
  EXPECT_FALSE(holds(kSecond));
  EXPECT_FALSE(holds("https://a.example/p"));
  EXPECT_FALSE(holds("https://b.example/p?id=1"));
  EXPECT_FALSE(holds("https://a.example/q?id=1"));
}

TEST_P(SearchTest, WhatAWrongRuleSaysIsNotHeeded) {
  fetch(kUrl, "one", "params=(utm)");
  EXPECT_TRUE(holds(kUrl));
  EXPECT_FALSE(holds(kOther));
}

TEST_P(SearchTest, EquivalentRequestsShareOneFlight) {
  fetch(kSecond, "two"); // the path's rule is known
  auto fill = lead(kUrl);
  EXPECT_FALSE(join(kOther).fill) << "it follows";
  EXPECT_TRUE(join("https://a.example/p?id=3").fill);
}

TEST_P(SearchTest, AResponseWithoutTheFieldIsFoundUnderItsOwnUrlOnly) {
  fetch(kSecond, "two");
  auto fill = lead(kUrl);
  fill->open_storing(head(3, kUrl));
  fill->append("own");
  fill->complete();
  if (disk_ != nullptr) disk_->write();
  loop_.run();
  EXPECT_TRUE(holds(kUrl));
  EXPECT_FALSE(holds(kOther));
  EXPECT_TRUE(holds("https://a.example/p?id=2&utm=z"));
}

TEST_P(SearchTest, APurgeOfItsOwnUrlReachesEveryEquivalent) {
  fetch(kUrl, "one");
  purge(kUrl);
  EXPECT_FALSE(holds(kUrl));
  EXPECT_FALSE(holds(kOther));
}

TEST_P(SearchTest, APurgeOfAnyEquivalentReachesAllThatItAnswers) {
  fetch(kUrl, "one");
  fetch(kSecond, "two");
  purge("https://a.example/p?utm=never-asked-for&id=1");
  EXPECT_FALSE(holds(kUrl));
  EXPECT_FALSE(holds(kOther));
  EXPECT_TRUE(holds(kSecond));
}

TEST_P(SearchTest, APurgeWithoutHostReachesItToo) {
  fetch(kUrl, "one");
  purge("/p?utm=z&id=1");
  EXPECT_FALSE(holds(kOther));
}

TEST_P(SearchTest, APatternOverItsOwnQueryReachesEveryEquivalent) {
  fetch(kUrl, "one");
  purge("https://a.example/p?id=1&utm=x*");
  EXPECT_FALSE(holds(kOther));
}

TEST_P(SearchTest, APatternOverTheRequestedQueryHitsThatRequest) {
  fetch(kUrl, "one");
  purge("https://a.example/p?utm=y*");
  EXPECT_FALSE(holds(kOther));
  EXPECT_TRUE(holds(kUrl));
}

TEST_P(SearchTest, ASoftPurgeOfAnEquivalentLeavesItStale) {
  fetch(kUrl, "one");
  purge("https://a.example/p?utm=z&id=1", true);
  const auto found = lookup(kOther);
  ASSERT_TRUE(found.entry);
  EXPECT_EQ(found.verdict, Verdict::stale);
}

TEST_P(SearchTest, WhatWasFetchedBeforeAPurgeThatKnewNoRuleIsNotGiven) {
  auto fill = lead(kUrl);
  purge(kOther); // an equivalent, but nobody knows yet
  fill->open_storing(filed(kUrl, kRule));
  fill->append("old");
  fill->complete();
  if (disk_ != nullptr) disk_->write();
  loop_.run();
  EXPECT_FALSE(holds(kOther));
  EXPECT_FALSE(holds("https://a.example/p?id=1"));
  fetch(kUrl, "new");
  EXPECT_EQ(body_of(lookup(kOther).entry).substr(0, 3), GetParam() ? body_of(lookup(kUrl).entry).substr(0, 3) : "new");
}

TEST_P(SearchTest, TheNewestRuleOfAPathCounts) {
  fetch(kUrl, "one");
  fetch(kSecond, "two", "params");
  EXPECT_TRUE(holds("https://a.example/p?anything"));
  EXPECT_EQ(lookup("https://a.example/p?anything").entry->head()->url, kSecond);
}

TEST_P(SearchTest, AFieldThatIsNotHeededAnyMoreTakesTheRuleAway) {
  fetch(kUrl, "one");
  fetch(kSecond, "two", "&&&");
  EXPECT_FALSE(holds(kOther));
  EXPECT_TRUE(holds(kSecond));
}

TEST(SearchRules, ForgetTheOldestPathBeyondTheirLimit) {
  SearchRules rules;
  const policy::SearchRule rule{true, false, {}};
  EXPECT_TRUE(rules.empty());
  for (size_t i = 0; i <= SearchRules::kMost; ++i) rules.learn("https://h/" + std::to_string(i), rule, 1);
  EXPECT_FALSE(rules.find("https://h/0?a"));
  EXPECT_TRUE(rules.find("https://h/1?a"));
  rules.forget("https://h/1?b");
  EXPECT_FALSE(rules.find("https://h/1?a"));
}

TEST(SearchRules, ARuleKeepsItsBeginningUntilItChanges) {
  SearchRules rules;
  rules.learn("https://h:8443/p?a", {true, false, {}}, 3);
  rules.learn("https://h/p", {true, false, {}}, 5);
  EXPECT_EQ(rules.find("https://h/p?b")->since, 3u);
  rules.learn("https://h/p", {false, true, {}}, 7);
  EXPECT_EQ(rules.find("https://h/p?b")->since, 7u);
}

} // namespace
} // namespace verge::cache
