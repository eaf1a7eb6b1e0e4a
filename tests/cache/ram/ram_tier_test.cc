#include "cache/ram/ram_tier.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <thread>

#include "cache/policy/vary.h"
#include "tests/cache/support.h"

namespace verge::cache {
namespace {

using namespace std::chrono_literals;
using testing::make_head;

constexpr uint64_t kCapacity = 1ull << 20; // one shard

EntryRef make_entry(std::shared_ptr<StoredHead> head, size_t size = 3) {
  return Entry::complete_from(std::move(head), {BlockRef::copy_of(std::string(size, 'x'))}, size, 0, nullptr);
}
EntryRef make_entry(const std::string& key, size_t size = 3) { return make_entry(make_head(key), size); }

EntryRef make_variant(const std::string& key, const std::string& language, WallTime when = {}) {
  auto head = make_head(key);
  head->vary_fields = {"accept-language"};
  http::Headers request;
  request.add("accept-language", language);
  head->vary_values = policy::vary_key(head->vary_fields, request);
  head->response_time = when;
  return make_entry(head);
}

http::Headers speaking(std::string_view language) {
  http::Headers h;
  h.add("accept-language", language);
  return h;
}

const http::Headers kPlain;

TEST(RamTier, FindsWhatWasPutByItsWholeKey) {
  RamTier ram(kCapacity);
  const EntryRef e = make_entry("https://a/1");
  EXPECT_TRUE(ram.put(e));
  EXPECT_EQ(ram.find("https://a/1", kPlain), e);
  EXPECT_EQ(ram.find("https://a/12", kPlain), nullptr);
  EXPECT_TRUE(ram.has_any("https://a/1"));
  EXPECT_FALSE(ram.has_any("https://a/2"));
  EXPECT_EQ(ram.entries(), 1u);
}

TEST(RamTier, WhatALoopFoundLatelyIsForgottenWithTheFirstChangeOfItsKey) {
  RamTier ram(kCapacity);
  RamFront front;
  const EntryRef old = make_entry("k");
  ram.put(old);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ram.find("k", kPlain, front), old);
  EXPECT_EQ(ram.find("other", kPlain, front), nullptr);
  const EntryRef fresh = make_entry("k");
  ram.put(fresh);
  EXPECT_EQ(ram.find("k", kPlain, front), fresh) << "replaced";
  ram.erase(*fresh);
  EXPECT_EQ(ram.find("k", kPlain, front), nullptr) << "erased";
}

TEST(RamTier, WhatALoopFoundLatelyStandsForNoVariants) {
  RamTier ram(kCapacity);
  RamFront front;
  const EntryRef de = make_variant("k", "de"), en = make_variant("k", "en");
  ram.put(de);
  EXPECT_EQ(ram.find("k", speaking("de"), front), de);
  EXPECT_EQ(ram.find("k", speaking("en"), front), nullptr);
  ram.put(en);
  EXPECT_EQ(ram.find("k", speaking("en"), front), en);
  EXPECT_EQ(ram.find("k", speaking("de"), front), de);
}

TEST(RamTier, WhatALoopFoundLatelyCountsAsAUse) {
  RamTier ram(kCapacity);
  RamFront front;
  const EntryRef e = make_entry("k");
  ram.put(e);
  for (int i = 0; i < 9; ++i) ram.find("k", kPlain, front);
  EXPECT_EQ(e->uses(), Entry::kMostUses);
}

TEST(RamTier, WhatALoopFoundLatelyIsNotHeldAlive) {
  RamTier ram(kCapacity);
  RamFront front;
  EntryRef e = make_entry("k");
  ram.put(e);
  ram.find("k", kPlain, front);
  const std::weak_ptr<Entry> watched = e;
  e.reset();
  ram.erase("k", "");
  EXPECT_TRUE(watched.expired());
}

TEST(RamTier, WhatALoopKeepsHoldsUntilTheFirstChangeOfItsKey) {
  RamTier ram(kCapacity);
  RamFront front;
  const EntryRef e = make_entry("k");
  ram.put(e);
  EXPECT_FALSE(ram.keep("k", e, front)) << "not found yet";
  ram.find("k", kPlain, front);
  EXPECT_FALSE(ram.keep("k", make_entry("k"), front)) << "another";
  const auto kept = ram.keep("k", e, front);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->entry, e);
  EXPECT_TRUE(ram.still(*kept));
  ram.put(make_entry("k"));
  EXPECT_FALSE(ram.still(*kept)) << "replaced";
  EXPECT_FALSE(ram.keep("k", e, front));
}

TEST(RamTier, KeepsNothingThatHasVariants) {
  RamTier ram(kCapacity);
  RamFront front;
  const EntryRef de = make_variant("k", "de");
  ram.put(de);
  ram.find("k", speaking("de"), front);
  EXPECT_FALSE(ram.keep("k", de, front));
}

TEST(RamTier, SelectsTheVariantTheRequestAsksFor) {
  RamTier ram(kCapacity);
  const EntryRef de = make_variant("k", "de"), en = make_variant("k", "en");
  ram.put(de);
  ram.put(en);
  EXPECT_EQ(ram.find("k", speaking("de")), de);
  EXPECT_EQ(ram.find("k", speaking("en")), en);
  EXPECT_EQ(ram.find("k", speaking("fr")), nullptr);
  EXPECT_TRUE(ram.has_any("k")) << "then it is a vary-miss";
}

TEST(RamTier, TheNewestWinsWhenSeveralVariantsAreSelected) {
  RamTier ram(kCapacity);
  auto plain = make_head("k");
  plain->response_time = WallTime(2s);
  const EntryRef newest = make_entry(plain), older = make_variant("k", "de", WallTime(1s));
  ram.put(newest);
  ram.put(older);
  EXPECT_EQ(ram.find("k", speaking("de")), newest);
}

TEST(RamTier, AVariantAnswersWhoeverLikesItBest) {
  RamTier ram(kCapacity);
  auto head = make_head("k");
  head->vary_fields = {"accept-language"};
  head->vary_values = policy::vary_key(head->vary_fields, speaking("en, de"));
  head->headers.add("content-language", "de");
  const EntryRef de = make_entry(head);
  ram.put(de);
  EXPECT_EQ(ram.find("k", speaking("fr;q=0.5, de")), de);
  EXPECT_EQ(ram.find("k", speaking("de, fr")), nullptr);
}

TEST(RamTier, BeyondTheLimitTheVariantLeastAskedForGoes) {
  RamTier ram(kCapacity, 3);
  for (const char* language : {"a", "b", "c"}) ram.put(make_variant("k", language));
  ram.put(make_entry("other"));
  EXPECT_TRUE(ram.find("k", speaking("a")));
  ram.put(make_variant("k", "d"));
  EXPECT_EQ(ram.find("k", speaking("b")), nullptr) << "the oldest of those nobody asked for";
  EXPECT_TRUE(ram.find("k", speaking("a")));
  EXPECT_TRUE(ram.find("k", speaking("c")));
  EXPECT_TRUE(ram.find("k", speaking("d")));
  EXPECT_TRUE(ram.find("other", kPlain));
  EXPECT_EQ(ram.entries(), 4u);
}

TEST(RamTier, ReplacesTheSameVariantAndNoOther) {
  RamTier ram(kCapacity);
  const EntryRef old = make_variant("k", "de"), fresh = make_variant("k", "de"), en = make_variant("k", "en");
  ram.put(old);
  ram.put(en);
  ram.put(fresh);
  EXPECT_EQ(ram.find("k", speaking("de")), fresh);
  EXPECT_EQ(ram.find("k", speaking("en")), en);
  EXPECT_EQ(ram.entries(), 2u);
  EXPECT_EQ(old.use_count(), 1);
}

TEST(RamTier, WhatComesFromDiskDoesNotReplaceWhatIsHere) {
  RamTier ram(kCapacity);
  const EntryRef fresh = make_entry("k"), from_disk = make_entry("k");
  EXPECT_TRUE(ram.put_if_absent(fresh));
  EXPECT_FALSE(ram.put_if_absent(from_disk));
  EXPECT_EQ(ram.find("k", kPlain), fresh);
}

TEST(RamTier, WhatComesFromDiskTakesNobodysPlaceUntilItIsAskedForAgain) {
  RamTier ram(kCapacity);
  const EntryRef from_disk = make_entry("k", 5000);
  EXPECT_TRUE(ram.admits(*from_disk)); // there is room for all
  EXPECT_TRUE(ram.admits(*from_disk));
  for (int i = 0; i < 300; ++i) ram.put(make_entry(fmt::format("full/{}", i), 5000));
  ASSERT_EQ(ram.find("k", kPlain), nullptr);
  EXPECT_FALSE(ram.admits(*from_disk));
  EXPECT_TRUE(ram.admits(*from_disk)); // again
  ASSERT_TRUE(ram.put_if_absent(from_disk));
  for (int i = 0; i < 300; ++i) ram.put(make_entry(fmt::format("scan/{}", i), 5000));
  EXPECT_NE(ram.find("k", kPlain), nullptr); // its trial was on disk
}

TEST(RamTier, WhatIsReadFromDiskOnceIsForgottenInTime) {
  RamTier ram(kCapacity);
  for (int i = 0; i < 300; ++i) ram.put(make_entry(fmt::format("full/{}", i), 5000));
  const EntryRef from_disk = make_entry("k", 5000);
  EXPECT_FALSE(ram.admits(*from_disk));
  for (int i = 0; i < 1'000; ++i) EXPECT_FALSE(ram.admits(*make_entry(fmt::format("scan/{}", i), 5000)));
  EXPECT_FALSE(ram.admits(*from_disk));
}

TEST(RamTier, ErasesOneVariant) {
  RamTier ram(kCapacity);
  const EntryRef de = make_variant("k", "de"), en = make_variant("k", "en");
  ram.put(de);
  ram.put(en);
  ram.erase("k", de->head()->vary_values);
  EXPECT_EQ(ram.find("k", speaking("de")), nullptr);
  EXPECT_EQ(ram.find("k", speaking("en")), en);
  ram.erase("k", en->head()->vary_values);
  EXPECT_EQ(ram.bytes(), 0u);
}

TEST(RamTier, ErasingAnEntryLeavesTheOneThatTookItsPlace) {
  RamTier ram(kCapacity);
  const EntryRef old = make_entry("k"), fresh = make_entry("k");
  ram.put(old);
  ram.put(fresh);
  ram.erase(*old);
  EXPECT_EQ(ram.find("k", kPlain), fresh);
  ram.erase(*fresh);
  EXPECT_EQ(ram.find("k", kPlain), nullptr);
}

TEST(RamTier, RefusesWhatIsTooLargeOrNotWhollyHere) {
  RamTier ram(kCapacity);
  EXPECT_FALSE(ram.put(make_entry("large", kCapacity / 8)));
  EXPECT_TRUE(ram.put(make_entry("fits", 60'000)));
  EXPECT_FALSE(ram.put(Entry::complete_from(make_head("on disk"), {}, 5, 1, nullptr)));
  EXPECT_FALSE(ram.put(std::make_shared<Entry>(1, nullptr)));
}

TEST(RamTier, CountsHeadsBodiesAndIndexToTheOctet) {
  RamTier ram(kCapacity);
  const auto expect = [&](const std::vector<EntryRef>& held, uint64_t bodies) {
    uint64_t cost = 0;
    for (const auto& e : held) cost += e->ram_bytes();
    const auto use = ram.use();
    EXPECT_EQ(use.entries, held.size());
    EXPECT_EQ(use.bodies, bodies);
    EXPECT_EQ(use.heads + use.bodies, cost);
    EXPECT_EQ(use.heads + use.bodies + use.index, ram.bytes());
  };
  const EntryRef a = make_entry("a", 1000), b = make_entry("b", 50'000), a2 = make_entry("a", 10);
  expect({}, 0);
  ram.put(a);
  ram.put(b);
  expect({a, b}, 51'000);
  ram.put(a2);
  expect({a2, b}, 50'010);
  ram.erase(*b);
  expect({a2}, 10);
  for (int i = 0; i < 100; ++i) ram.put(make_entry(fmt::format("fill/{}", i), 50'000));
  const auto use = ram.use();
  EXPECT_EQ(use.heads + use.bodies + use.index, ram.bytes());
  EXPECT_EQ(use.bodies % 50'000, ram.find("a", kPlain) ? 10u : 0u);
}

TEST(RamTier, NeverHoldsMoreThanItsCapacityHeadsIncluded) {
  RamTier ram(kCapacity);
  for (int i = 0; i < 2000; ++i) {
    auto head = make_head(fmt::format("https://a/{}", i));
    head->h1_text.assign(3000, 'h');
    ram.put(make_entry(head, 10));
    ASSERT_LE(ram.bytes(), kCapacity);
  }
  EXPECT_LT(ram.entries(), kCapacity / 3000);
  EXPECT_GT(ram.entries(), kCapacity / 5000);
}

TEST(RamTier, WhatIsAskedForAgainOutlivesAScanOfWhatIsNot) {
  RamTier ram(kCapacity);
  for (int i = 0; i < 50; ++i) ram.put(make_entry(fmt::format("hot/{}", i), 5000));
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(ram.find(fmt::format("hot/{}", i), kPlain));
  for (int i = 0; i < 5000; ++i) ram.put(make_entry(fmt::format("scan/{}", i), 5000));
  int left = 0;
  for (int i = 0; i < 50; ++i) left += ram.find(fmt::format("hot/{}", i), kPlain) ? 1 : 0;
  EXPECT_EQ(left, 50);
}

TEST(RamTier, WhatComesAgainSoonAfterItsTrialGoesToTheMainQueue) {
  RamTier ram(kCapacity);
  const auto fill = [&](int from, int to) {
    for (int i = from; i < to; ++i) ram.put(make_entry(fmt::format("once/{}", i), 5000));
  };
  ram.put(make_entry("k", 5000));
  fill(0, 300);
  ASSERT_EQ(ram.find("k", kPlain), nullptr);
  fill(300, 310);
  ram.put(make_entry("again", 5000));
  fill(310, 520);
  ASSERT_EQ(ram.find("again", kPlain), nullptr);
  ram.put(make_entry("again", 5000)); // remembered: it need not stand trial once more
  fill(520, 1500);
  EXPECT_NE(ram.find("again", kPlain), nullptr);
}

TEST(RamTier, ManyThreadsMayUseIt) {
  RamTier ram(64ull << 20);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&ram, t] {
      for (int i = 0; i < 2000; ++i) {
        const std::string key = fmt::format("k{}", (i * 7 + t) % 100);
        if (const EntryRef e = ram.find(key, kPlain)) {
          EXPECT_EQ(e->head()->key, key);
          if (i % 10 == 0) ram.erase(*e);
        } else {
          ram.put(make_entry(key, 1000));
        }
      }
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_LE(ram.entries(), 100u);
}

} // namespace
} // namespace verge::cache
