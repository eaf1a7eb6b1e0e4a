// What each site's responses take on disk is known to the octet, and kept within its quota.
#include "cache/lmdb/accounts.h"

#include <gtest/gtest.h>

#include "cache/lmdb/record.h"
#include "tests/cache/lmdb/disk_support.h"

namespace verge::cache {
namespace {

using testing::DiskTest;
using testing::head_for;

constexpr uint64_t kOne = 11, kTwo = 22;

class AccountTest : public DiskTest {
 protected:
  HeadRef store(const std::string& url, size_t size, uint64_t site = kOne, std::string_view extra = "") {
    auto head = head_for(url);
    head->site = site;
    if (!extra.empty()) head->headers.add("x-extra", extra);
    EXPECT_TRUE(disk->store(entry_of(head, std::string(size, 'x'))));
    disk->flush();
    return head;
  }
  // What can be found, counted by hand: each record as it is encoded, and the chunks behind it.
  SiteUse counted(uint64_t site, int urls) {
    SiteUse use{site, 0, 0};
    for (int i = 0; i < urls; ++i) {
      const auto entry = find(key(i)).entry;
      if (!entry || entry->head()->site != site) continue;
      const uint64_t length = entry->length();
      const std::string last(length == 0 ? 0 : (length - 1) % kBlockBytes + 1, 'x');
      const auto [record, chunk] = encode_record(1, *entry->head(), length, last);
      ++use.entries;
      use.bytes += record.size() + chunk + length - last.size();
    }
    return use;
  }
  SiteUse told(uint64_t site) {
    for (const SiteUse& use : disk->stats().sites) {
      if (use.site == site) return use;
    }
    return {site, 0, 0};
  }
  void expect_exact(int urls, std::string_view when) {
    uint64_t entries = 0;
    for (const uint64_t site : {kOne, kTwo}) {
      const SiteUse want = counted(site, urls), got = told(site);
      EXPECT_EQ(got.entries, want.entries) << when << ", site " << site;
      EXPECT_EQ(got.bytes, want.bytes) << when << ", site " << site;
      entries += got.entries;
    }
    EXPECT_EQ(disk->stats().entries, entries) << when;
  }
};

TEST_F(AccountTest, IsExactAfterEachKindOfChange) {
  open();
  expect_exact(0, "empty");
  for (int i = 0; i < 20; ++i) store(key(i), i % 3 == 0 ? 100'000 + static_cast<size_t>(i) : 100, i % 2 ? kOne : kTwo);
  expect_exact(20, "stored");
  EXPECT_EQ(told(kOne).entries, 10U);

  store(key(3), 7, kOne);
  store(key(4), 70'000, kOne); // it changes hands
  expect_exact(20, "replaced");

  const auto old = find(key(5)).entry;
  auto fresh = std::make_shared<StoredHead>(*old->head());
  fresh->headers.add("x-longer", std::string(300, 'l'));
  disk->update_head(old, fresh);
  disk->flush();
  expect_exact(20, "freshened");
  EXPECT_TRUE(find(key(5)).entry->head()->headers.has("x-longer"));

  disk->erase(key(6), "");
  disk->flush();
  expect_exact(20, "erased");

  const SiteUse before = told(kOne);
  open();
  EXPECT_EQ(told(kOne).bytes, before.bytes);
  expect_exact(20, "restarted");
}

TEST_F(AccountTest, IsExactWhileTheOldEndMoves) {
  options.bytes = 8ull << 20;
  open();
  for (int i = 0; i < 300; ++i) {
    store(key(i), 50'000, i % 2 ? kOne : kTwo);
    if (i % 10 == 0) find(key(i)); // gets a second chance
  }
  EXPECT_GT(disk->stats().evicted, 0U);
  expect_exact(300, "evicted");
  open();
  expect_exact(300, "restarted");
}

TEST_F(AccountTest, IsExactForVariants) {
  open();
  for (const char* value : {"+1", "+2", "+3"}) {
    auto head = head_for(key(0), {.vary_fields = {"x-a"}, .vary_values = value});
    head->site = kOne;
    ASSERT_TRUE(disk->store(entry_of(head, "abc")));
    disk->flush();
  }
  EXPECT_EQ(told(kOne).entries, 3U);
  store(key(0), 10); // does not vary any more
  EXPECT_EQ(told(kOne).entries, 1U);
  expect_exact(1, "no variants");
}

TEST_F(AccountTest, ASiteBeyondItsQuotaLosesItsOwnOldestAndNoOther) {
  open();
  disk->set_quotas({{kOne, 1'000'000}});
  store(key(100), 30'000, kTwo);
  for (int i = 0; i < 100; ++i) {
    store(key(i), 30'000, kOne);
    ASSERT_LE(told(kOne).bytes, 1'000'000U);
  }
  EXPECT_GT(told(kOne).bytes, 900'000U) << "it may use what it has";
  EXPECT_EQ(find(key(0)).entry, nullptr);
  EXPECT_NE(find(key(99)).entry, nullptr);
  EXPECT_NE(find(key(100)).entry, nullptr);
  expect_exact(101, "over quota");
  open(); // what was beyond stays so
  EXPECT_EQ(find(key(0)).entry, nullptr);
  expect_exact(101, "restarted");
}

TEST_F(AccountTest, WhatIsLargerThanTheWholeQuotaIsNotStored) {
  open();
  disk->set_quotas({{kOne, 50'000}});
  store(key(0), 1'000);
  store(key(1), 60'000);
  EXPECT_NE(find(key(0)).entry, nullptr);
  EXPECT_EQ(find(key(1)).entry, nullptr);
}

TEST_F(AccountTest, AQuotaThatShrinksCountsAtOnce) {
  open();
  disk->set_quotas({{kOne, 4'000'000}});
  for (int i = 0; i < 50; ++i) store(key(i), 30'000);
  disk->set_quotas({{kOne, 500'000}});
  disk->flush();
  EXPECT_LE(told(kOne).bytes, 500'000U);
  EXPECT_NE(find(key(49)).entry, nullptr);
  expect_exact(50, "shrunk");
  disk->set_quotas({});
  for (int i = 50; i < 100; ++i) store(key(i), 30'000);
  EXPECT_GT(told(kOne).bytes, 1'500'000U);
  expect_exact(100, "without quota");
}

TEST(Account, ComesBackAsItWasPutAndNothingElseIsBelieved) {
  Account account;
  for (uint64_t id = 1; id < 200; ++id) account.add(id, 1'000, 50'000);
  account.remove(190, 1'000);
  EXPECT_GT(account.cut(), 0U);
  const std::string value = account.encode();
  const auto back = Account::decode(value);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->bytes(), account.bytes());
  EXPECT_EQ(back->entries(), account.entries());
  EXPECT_EQ(back->cut(), account.cut());
  for (size_t i = 0; i < value.size(); ++i) EXPECT_FALSE(Account::decode(std::string_view(value).substr(0, i))) << i;
  EXPECT_FALSE(Account::decode(value + "x"));
}

TEST(Account, StaysShortAndExactHoweverMuchIsAdded) {
  Account account;
  for (uint64_t id = 1; id <= 1'000; ++id) account.add(id, 300ull << 20, 0);
  EXPECT_LT(account.encode().size(), 2'000U);
  EXPECT_EQ(account.bytes(), 1'000 * (300ull << 20));
  for (uint64_t id = 1; id <= 1'000; ++id) account.remove(id, 300ull << 20);
  EXPECT_EQ(account.bytes(), 0U);
  EXPECT_EQ(account.entries(), 0U);
}

} // namespace
} // namespace verge::cache
