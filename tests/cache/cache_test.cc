// The face of the cache: tiers, epochs, refreshing.
#include "cache/cache.h"

#include "tests/cache/cache_fixture.h"

namespace verge::cache {
namespace {

using namespace testing;

class CacheTest : public CacheFixture {};

TEST_F(CacheTest, RamOnlyWorksFromOpenToInvalidation) {
  auto opened = Cache::open({}, clock_);
  ASSERT_TRUE(opened);
  cache_ = std::move(*opened);
  EXPECT_EQ(cache_->disk(), nullptr);
  store("hello");
  EXPECT_EQ(body_of(lookup().entry), "hello");
  EXPECT_GT(purge("/x"), 1u);
  EXPECT_FALSE(lookup().entry);
  cache_->flush();
}

TEST_F(CacheTest, ListsBothTiersAndSaysWhatEndedAResponse) {
  start(true);
  store("hello");
  disk_->refuse = true; // this one stays in memory only
  store("there", "https://a.example/y");
  purge("/x");
  lookup().entry.reset(); // the dead one leaves memory
  Listing page;
  cache_->list(0, 10, [](const StoredHead&) { return true; }, loop_, [&](Listing l) { page = std::move(l); });
  loop_.run();
  ASSERT_EQ(page.entries.size(), 2u);
  EXPECT_EQ(page.entries[0].head->key, kKey);
  EXPECT_FALSE(page.entries[0].in_ram);
  EXPECT_EQ(page.entries[0].verdict, Verdict::dead);
  ASSERT_TRUE(page.entries[0].blame);
  EXPECT_EQ(page.entries[0].blame->target.value, "/x");
  EXPECT_EQ(page.entries[1].head->key, "https://a.example/y");
  EXPECT_EQ(page.entries[1].body_id, 0u);
  EXPECT_TRUE(page.entries[1].in_ram);
  EXPECT_EQ(page.entries[1].verdict, Verdict::live);
  std::vector<Listed> known;
  cache_->inspect(kKey, loop_, [&](std::vector<Listed> rows) { known = std::move(rows); });
  loop_.run();
  ASSERT_EQ(known.size(), 1u) << "the dead too";
  EXPECT_EQ(known[0].verdict, Verdict::dead);
}

TEST_F(CacheTest, ADeadEntryLeavesRam) {
  start(false);
  store("hello");
  purge("https://a.example/*");
  EXPECT_EQ(cache_->stats().ram_entries, 1u) << "a purge touches no data";
  EXPECT_FALSE(lookup().entry);
  EXPECT_EQ(cache_->stats().ram_entries, 0u);
}

TEST_F(CacheTest, ASoftPurgeLeavesItStale) {
  start(false);
  store("hello");
  purge("/x", true);
  const auto found = lookup();
  ASSERT_TRUE(found.entry);
  EXPECT_EQ(found.verdict, Verdict::stale);
}

TEST_F(CacheTest, WhatIsDeadInRamMayBeAliveOnDisk) {
  start(true);
  store("hello");
  purge("/x");
  EXPECT_FALSE(lookup().entry) << "dead in both";
  store("again");
  EXPECT_EQ(body_of(lookup().entry), "again");
}

TEST_F(CacheTest, AnInvalidationIsAcknowledgedOnlyWhenItIsDurable) {
  start(true);
  EXPECT_GT(purge("/x"), 1u);
  EXPECT_EQ(disk_->persisted, 1u);
  disk_->broken = true;
  Result<uint64_t> answer = uint64_t{1};
  Invalidation command;
  command.targets.push_back(*parse_target("/y"));
  cache_->invalidate(command, loop_, [&](Result<uint64_t> r) { answer = std::move(r); });
  loop_.run();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::storage);
}

TEST_F(CacheTest, AnInvalidationOfOthersIsHeldAgainstAResponseInMemoryOnce) {
  start(false);
  store("body");
  const uint64_t seq = purge("/other/*");
  const auto found = lookup();
  ASSERT_TRUE(found.entry);
  EXPECT_EQ(found.entry->live_at(), seq); // the next hit has nothing to look through
  EXPECT_LT(found.entry->head()->seq, seq);
  purge("/x");
  EXPECT_FALSE(lookup().entry);
}

TEST_F(CacheTest, AResponseThatIsStaleByInvalidationStaysStale) {
  start(false);
  store("body");
  purge("/x", true);
  EXPECT_EQ(lookup().verdict, Verdict::stale);
  purge("/other");
  EXPECT_EQ(lookup().verdict, Verdict::stale);
  EXPECT_EQ(lookup().entry->live_at(), 0U);
}

TEST_F(CacheTest, AnInvalidationAppliesBeforeItIsDurable) {
  start(true);
  store("hello");
  Invalidation command;
  command.targets.push_back(*parse_target("/x"));
  cache_->invalidate(command, loop_, [](Result<uint64_t>) {});
  EXPECT_FALSE(lookup().entry);
}

class DiskHitTest : public CacheFixture {
 protected:
  void SetUp() override { start(true); }
};

TEST_F(DiskHitTest, ASmallBodyIsReadInAndFoundInRamNext) {
  const std::string body = make_body(3 * kBlockBytes + 5);
  disk_->add(head(body.size()), body);
  auto found = lookup();
  EXPECT_EQ(found.tier, Tier::disk);
  EXPECT_TRUE(found.entry->in_ram());
  EXPECT_EQ(body_of(found.entry), body);
  const int reads = disk_->bodies.reads;
  found = lookup();
  EXPECT_EQ(found.tier, Tier::ram);
  EXPECT_EQ(body_of(found.entry), body);
  EXPECT_EQ(disk_->bodies.reads, reads);
  EXPECT_EQ(disk_->bodies.pins(1), 0);
  EXPECT_EQ(disk_->touches, 1) << "the disk shall not take it for forgotten";
}

TEST_F(DiskHitTest, ALargeBodyStaysOnDisk) {
  const std::string body = make_body(17 * kBlockBytes);
  disk_->add(head(body.size()), body);
  auto found = lookup();
  EXPECT_EQ(disk_->bodies.reads, 0);
  EXPECT_EQ(body_of(found.entry), body);
  EXPECT_EQ(lookup().tier, Tier::disk);
}

TEST_F(DiskHitTest, AColdLookupIsAnsweredLater) {
  disk_->add(head(5), "hello");
  disk_->cold = true;
  const auto found = lookup();
  EXPECT_EQ(found.tier, Tier::disk);
  EXPECT_EQ(body_of(found.entry), "hello");
}

TEST_F(DiskHitTest, AColdLookupOfADeadEntryFindsNothing) {
  disk_->add(head(5), "hello");
  disk_->cold = true;
  purge("/x");
  EXPECT_FALSE(lookup().entry);
}

TEST_F(DiskHitTest, ColdChunksAreReadInBehindAndOnlyOnce) {
  const std::string body = make_body(3 * kBlockBytes);
  disk_->add(head(body.size()), body);
  disk_->bodies.cold = true;
  const auto a = lookup(), b = lookup();
  EXPECT_FALSE(a.entry->in_ram());
  EXPECT_EQ(disk_->bodies.reads, 1);
  for (int i = 0; i < 3; ++i) {
    disk_->bodies.answer();
    loop_.run();
  }
  EXPECT_EQ(disk_->bodies.reads, 3);
  const auto c = lookup();
  EXPECT_EQ(c.tier, Tier::ram);
  EXPECT_EQ(body_of(c.entry), body);
}

TEST_F(DiskHitTest, AChunkThatCannotBeReadLeavesTheBodyOnDisk) {
  const std::string body = make_body(3 * kBlockBytes);
  disk_->add(head(body.size()), body);
  disk_->bodies.lose(1, 2);
  EXPECT_EQ(lookup().tier, Tier::disk);
  const auto again = lookup();
  EXPECT_EQ(again.tier, Tier::disk);
  EXPECT_EQ(body_of(again.entry), body.substr(0, 2 * kBlockBytes) + "(failed)");
}

TEST_F(DiskHitTest, OtherVariantsAreToldFromNone) {
  auto h = head(5);
  h->vary_fields = {"accept-language"};
  h->vary_values = "something else";
  disk_->add(h, "hello");
  const auto found = lookup();
  EXPECT_FALSE(found.entry);
  EXPECT_TRUE(found.other_variants);
  EXPECT_FALSE(lookup("https://a.example/none").other_variants);
}

TEST_F(DiskHitTest, ARefreshedEntryHasTheSameBodyAndTheNewHeadInRamAndOnDisk) {
  const std::string body = make_body(2 * kBlockBytes);
  disk_->add(head(body.size()), body);
  const EntryRef old = lookup().entry;
  purge("/x", true);
  auto h = head();
  h->headers.add("etag", "\"2\"");
  const EntryRef fresh = cache_->refresh(old, h);
  EXPECT_EQ(fresh->head()->content_length, body.size());
  EXPECT_EQ(body_of(fresh), body);
  const auto found = lookup();
  EXPECT_EQ(found.tier, Tier::ram);
  EXPECT_EQ(found.verdict, Verdict::live);
  EXPECT_EQ(found.entry, fresh);
  EXPECT_TRUE(disk_->find(kKey, {}, loop_, nullptr).entry->head()->headers.has("etag"));
}

TEST_F(DiskHitTest, ALargeEntryIsRefreshedWithoutBeingRead) {
  const std::string body = make_body(17 * kBlockBytes);
  disk_->add(head(body.size()), body);
  const EntryRef fresh = cache_->refresh(lookup().entry, head());
  EXPECT_EQ(disk_->bodies.reads, 0);
  EXPECT_EQ(body_of(fresh), body);
  EXPECT_EQ(cache_->stats().ram_entries, 0u);
}

TEST_F(DiskHitTest, ARefreshThatAPurgeOvertookIsNotKept) {
  disk_->add(head(5), "hello");
  const EntryRef old = lookup().entry;
  const auto h = head();
  purge("/x");
  EXPECT_EQ(body_of(cache_->refresh(old, h)), "hello");
  EXPECT_FALSE(lookup().entry);
}

TEST_F(DiskHitTest, AnErasedResponseIsGoneFromBothTiers) {
  disk_->add(head(5), "hello");
  const EntryRef entry = lookup().entry;
  cache_->erase(entry);
  EXPECT_FALSE(lookup().entry);
  EXPECT_EQ(disk_->records(), 0u);
}

} // namespace
} // namespace verge::cache
