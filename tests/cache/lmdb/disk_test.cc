#include "cache/lmdb/disk.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/cache/lmdb/disk_support.h"

namespace verge::cache {
namespace {

using testing::DiskTest;
using testing::head_for;
using testing::make_body;

TEST_F(DiskTest, WhatWasNeverStoredIsNotFound) {
  open();
  const auto found = find("https://www.example.com/");
  EXPECT_EQ(found.entry, nullptr);
  EXPECT_FALSE(found.other_variants);
}

TEST_F(DiskTest, BodiesOfEverySizeComeBackAsTheyWere) {
  open();
  const size_t sizes[] = {0,
                          1,
                          1'700,
                          2'000,
                          4'000,
                          4'080,
                          4'081,
                          4'096,
                          5'900,
                          8'176,
                          8'192,
                          16'000,
                          40'000,
                          kBlockBytes - 1,
                          kBlockBytes,
                          kBlockBytes + 1,
                          2 * kBlockBytes + 100,
                          3 * kBlockBytes,
                          1'000'000};
  int n = 0;
  for (const size_t size : sizes) put(key(n++), make_body(size));
  for (int round = 0; round < 2; ++round) {
    n = 0;
    for (const size_t size : sizes) {
      const auto found = find(key(n));
      ASSERT_NE(found.entry, nullptr) << size;
      EXPECT_EQ(found.entry->state(), EntryState::complete);
      EXPECT_EQ(found.entry->length(), size);
      EXPECT_EQ(found.entry->head()->content_length, size);
      EXPECT_EQ(found.entry->in_ram(), size <= kBlockBytes) << size;
      EXPECT_TRUE(body_of(found.entry) == make_body(size)) << size;
      ++n;
    }
    EXPECT_EQ(disk->stats().entries, std::size(sizes));
    open(); // and again after a restart
  }
}

TEST_F(DiskTest, ReadersNearEachOtherInALargeBodySendFromTheSameBlocks) {
  open();
  put(key(0), make_body(20 * kBlockBytes));
  // Each found for itself, as requests find them.
  const auto one = find(key(0)).entry, other = find(key(0)).entry;
  ASSERT_TRUE(one && other && one != other);
  Reader ahead(one, loop, nullptr, 0, UINT64_MAX), behind(other, loop, nullptr, 0, UINT64_MAX);
  const auto next_of = [this](Reader& reader) {
    Slice slice;
    Reader::Next next = reader.next(slice, kBlockBytes);
    while (next == Reader::Next::wait && loop.run() > 0) next = reader.next(slice, kBlockBytes);
    EXPECT_EQ(next, Reader::Next::slice);
    return slice.block;
  };
  for (int i = 0; i < 20; ++i) {
    const BlockRef block = next_of(ahead);
    EXPECT_EQ(next_of(behind).get(), block.get()) << i;
  }
}

TEST_F(DiskTest, EveryPartOfTheHeadComesBackAsItWas) {
  open();
  auto head = head_for("https://www.example.com/a?b", {.received = Seconds(77), .seq = 9, .tags = {"home", "news"}});
  head->status = 404;
  head->headers.add("x-empty", "");
  head->headers.add("link", "</a>");
  head->headers.add("link", "</b>");
  head->h1_text = "anything of its own\r\n";
  head->request_time = WallTime(Millis(76'543));
  head->request_had_authorization = true;
  head->freshness = {Millis(1'234), Millis(60'000), policy::LifetimeSource::s_maxage, true, true,
                     Seconds(5),    Seconds(6)};
  ASSERT_TRUE(disk->store(entry_of(head, "not found")));
  disk->flush();
  const auto found = find(head->key).entry;
  ASSERT_NE(found, nullptr);
  const auto back = found->head();
  EXPECT_EQ(back->key, head->key);
  EXPECT_EQ(back->status, 404);
  EXPECT_EQ(back->headers.size(), head->headers.size());
  for (size_t i = 0; i < head->headers.size(); ++i) {
    EXPECT_EQ(back->headers.at(i).name, head->headers.at(i).name);
    EXPECT_EQ(back->headers.at(i).value, head->headers.at(i).value);
  }
  EXPECT_EQ(back->h1_text, head->h1_text);
  EXPECT_EQ(back->request_time, head->request_time);
  EXPECT_EQ(back->response_time, head->response_time);
  EXPECT_EQ(back->tags, head->tags);
  EXPECT_EQ(back->seq, 9U);
  EXPECT_EQ(found->seq(), 9U);
  EXPECT_TRUE(back->request_had_authorization);
  EXPECT_EQ(back->freshness.initial_age, Millis(1'234));
  EXPECT_EQ(back->freshness.lifetime, Millis(60'000));
  EXPECT_EQ(back->freshness.source, policy::LifetimeSource::s_maxage);
  EXPECT_TRUE(back->freshness.always_validate);
  EXPECT_TRUE(back->freshness.never_stale);
  EXPECT_EQ(back->freshness.stale_while_revalidate, Seconds(5));
  EXPECT_EQ(back->freshness.stale_if_error, Seconds(6));
}

TEST_F(DiskTest, TheLinesOfTheHeadAreMadeAnewFromItsFields) {
  open();
  put("https://www.example.com/", "x");
  const auto found = find("https://www.example.com/").entry;
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->head()->h1_text, "content-type: text/plain\r\netag: \"1000\"\r\n");
}

TEST_F(DiskTest, StoringAKeyAgainReplacesTheResponse) {
  open();
  put(key(1), "old");
  put(key(1), "new");
  EXPECT_EQ(get(key(1)), "new");
  EXPECT_EQ(disk->stats().entries, 1U);
  EXPECT_EQ(disk->stats().stores, 2U);
}

TEST_F(DiskTest, AnErasedResponseIsNotFoundAnyMore) {
  open();
  put(key(1), "one");
  put(key(2), "two");
  disk->erase(key(1), "");
  disk->flush();
  EXPECT_EQ(find(key(1)).entry, nullptr);
  EXPECT_EQ(get(key(2)), "two");
  EXPECT_EQ(disk->stats().entries, 1U);
}

// The loop must not stop for the disk: a reader thread goes first where nobody has been yet.
TEST_F(DiskTest, AfterARestartTheFirstLookupOfAResponseIsAnsweredLaterAndTheNextAtOnce) {
  options.warm = false;
  open();
  put(key(1), "one");
  open();
  std::optional<Disk::Lookup> late;
  const auto first = disk->find(key(1), {}, loop, [&](Disk::Lookup l) { late = std::move(l); });
  EXPECT_TRUE(first.pending);
  EXPECT_EQ(first.entry, nullptr);
  while (!late) loop.run();
  EXPECT_EQ(body_of(late->entry), "one");
  const auto second = disk->find(key(1), {}, loop, [](Disk::Lookup) { FAIL(); });
  EXPECT_FALSE(second.pending);
  EXPECT_EQ(body_of(second.entry), "one");
  EXPECT_FALSE(disk->find(key(2), {}, loop, [](Disk::Lookup) { FAIL(); }).pending); // a miss needs no disk
}

// Behind them cold reads still get their turn: the walk is in short steps.
TEST_F(DiskTest, OnceWarmEveryResponseIsFoundAtOnceAfterARestart) {
  options.reader_threads = 1;
  open();
  for (int n = 0; n < 3'000; ++n) {
    while (!disk->store(entry_of(head_for(key(n)), make_body(n % 3 == 0 ? 4'096 : 50)))) disk->flush();
  }
  disk->flush();
  open();
  while (!disk->stats().warm) std::this_thread::yield();
  for (int n = 0; n < 3'000; ++n) {
    const auto found = disk->find(key(n), {}, loop, [](Disk::Lookup) { FAIL(); });
    ASSERT_FALSE(found.pending) << n;
    ASSERT_NE(found.entry, nullptr) << n;
  }
}

TEST_F(DiskTest, ListsWhatIsCurrentPageByPageAndNothingTwice) {
  open();
  for (int n = 0; n < 5; ++n) put(key(n), std::string(static_cast<size_t>(n) * 40'000, 'x'));
  put(key(1), "newer");
  disk->erase(key(2), "");
  disk->flush();
  const auto page = [&](uint64_t after, size_t most, const Wanted& wanted) {
    std::optional<Listing> got;
    disk->list(after, most, wanted, loop, [&](Listing l) { got = std::move(l); });
    while (!got) loop.run();
    return std::move(*got);
  };
  const Wanted all = [](const StoredHead&) { return true; };
  auto first = page(0, 3, all);
  ASSERT_EQ(first.entries.size(), 3U);
  EXPECT_EQ(first.entries[0].head->key, key(0));
  EXPECT_EQ(first.entries[1].head->key, key(3));
  EXPECT_EQ(first.entries[1].length, 120'000U);
  EXPECT_EQ(first.entries[2].head->key, key(4));
  ASSERT_NE(first.next, 0U);
  const auto second = page(first.next, 3, all);
  ASSERT_EQ(second.entries.size(), 1U);
  EXPECT_EQ(second.entries[0].head->key, key(1));
  EXPECT_EQ(second.entries[0].length, 5U);
  EXPECT_EQ(second.next, 0U);
  EXPECT_EQ(page(0, 9, [](const StoredHead& h) { return h.key == key(4); }).entries.size(), 1U);
}

TEST_F(DiskTest, AnAnswerToHeadIsNotStored) {
  open();
  auto head = head_for(key(1));
  head->no_body = true;
  EXPECT_FALSE(disk->store(entry_of(head, "")));
}

} // namespace
} // namespace verge::cache
