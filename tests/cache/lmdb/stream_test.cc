#include <gtest/gtest.h>

#include "tests/cache/lmdb/disk_support.h"

namespace verge::cache {
namespace {

using testing::DiskTest;
using testing::head_for;
using testing::make_body;

class StreamTest : public DiskTest {
 protected:
  std::shared_ptr<Entry> begin(const std::string& at, Entry::Keep keep = Entry::Keep::until_on_disk) {
    auto entry = std::make_shared<Entry>(1, disk.get());
    entry->open(head_for(at), keep);
    return entry;
  }
};

TEST_F(StreamTest, AGrowingEntryIsWrittenAsItGrowsAndFoundOnlyWhenItIsComplete) {
  open();
  const std::string body = make_body(5 * kBlockBytes + 17);
  auto entry = begin(key(1));
  ASSERT_TRUE(disk->store(entry));
  for (size_t at = 0; at < body.size(); at += 30'000) {
    entry->append(std::string_view(body).substr(at, 30'000));
    disk->poke(entry);
    if (at == 150'000) {
      disk->flush();
      EXPECT_NE(entry->body_id(), 0U);
      EXPECT_LT(entry->backlog(), kBlockBytes); // what is on disk has left the window
      EXPECT_EQ(find(key(1)).entry, nullptr);
    }
  }
  entry->complete();
  disk->poke(entry);
  disk->flush();
  EXPECT_TRUE(body_of(entry) == body); // its Blocks have gone: read back from disk
  EXPECT_TRUE(get(key(1)) == body);
  entry.reset();
  open();
  EXPECT_TRUE(get(key(1)) == body);
}

TEST_F(StreamTest, ASmallGrowingEntryIsWrittenOnceAtItsEnd) {
  open();
  auto entry = begin(key(1), Entry::Keep::all);
  ASSERT_TRUE(disk->store(entry));
  entry->append("hel");
  disk->poke(entry);
  disk->flush();
  EXPECT_EQ(disk->stats().stores, 0U);
  entry->append("lo");
  entry->complete();
  disk->poke(entry);
  disk->flush();
  EXPECT_EQ(get(key(1)), "hello");
  EXPECT_EQ(disk->stats().stores, 1U);
}

TEST_F(StreamTest, AFailedEntryLeavesNothing) {
  open();
  const auto empty = disk->stats().bytes_used;
  auto entry = begin(key(1));
  ASSERT_TRUE(disk->store(entry));
  entry->append(make_body(20 * kBlockBytes));
  disk->poke(entry);
  disk->flush();
  EXPECT_GT(disk->stats().bytes_used, empty + 19 * kBlockBytes);
  entry->fail({Errc::closed, Side::origin, Retry::never, "cut"});
  disk->poke(entry);
  disk->flush();
  EXPECT_EQ(find(key(1)).entry, nullptr);
  entry.reset();
  disk->flush(); // nobody can read it any more: its chunks go
  EXPECT_LT(disk->stats().bytes_used, empty + kBlockBytes);
  EXPECT_EQ(disk->stats().entries, 0U);
}

TEST_F(StreamTest, WhatIsReadOfAFailedEntryStaysUntilItsLastReaderIsGone) {
  open();
  const std::string body = make_body(4 * kBlockBytes);
  auto entry = begin(key(1));
  ASSERT_TRUE(disk->store(entry));
  Reader reader(entry, loop, [] {}, 0, UINT64_MAX);
  entry->append(body);
  disk->poke(entry);
  disk->flush();
  disk->flush();
  std::string got;
  Reader::Next next = testing::drain(reader, got);
  while (next == Reader::Next::wait && loop.run() > 0) next = testing::drain(reader, got);
  EXPECT_TRUE(got == body);
}

TEST_F(StreamTest, SeveralEntriesMayGrowSideBySide) {
  open();
  std::vector<std::shared_ptr<Entry>> entries;
  std::vector<std::string> bodies;
  for (int i = 0; i < 5; ++i) {
    bodies.push_back(make_body(static_cast<size_t>(200'000 + i * 70'001)));
    entries.push_back(begin(key(i)));
    ASSERT_TRUE(disk->store(entries.back()));
  }
  for (size_t at = 0; at < 500'000; at += 50'000) {
    for (size_t i = 0; i < entries.size(); ++i) {
      if (at >= bodies[i].size()) continue;
      entries[i]->append(std::string_view(bodies[i]).substr(at, 50'000));
      if (at + 50'000 >= bodies[i].size()) entries[i]->complete();
      disk->poke(entries[i]);
    }
    if (at % 100'000 == 0) disk->flush();
  }
  disk->flush();
  entries.clear();
  open();
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(get(key(i)) == bodies[static_cast<size_t>(i)]);
}

TEST_F(StreamTest, ABodyTooLargeForTheDiskIsRefusedOrLetGo) {
  options.bytes = 8ull << 20;
  open();
  EXPECT_FALSE(disk->store(entry_of(head_for(key(1)), std::string(3u << 20, 'x')))); // known to be too large
  auto entry = begin(key(2));
  ASSERT_TRUE(disk->store(entry)); // turns out so on the way
  Reader reader(entry, loop, [] {}, 0, UINT64_MAX);
  const std::string body = make_body(3u << 20);
  entry->append(std::string_view(body).substr(0, 1u << 20));
  disk->poke(entry);
  disk->flush();
  entry->append(std::string_view(body).substr(1u << 20));
  disk->poke(entry);
  disk->flush();
  entry->complete();
  disk->poke(entry);
  disk->flush();
  EXPECT_EQ(find(key(2)).entry, nullptr);
  std::string got; // yet its reader gets all of it
  Reader::Next next = testing::drain(reader, got);
  while (next == Reader::Next::wait && loop.run() > 0) next = testing::drain(reader, got);
  EXPECT_EQ(next, Reader::Next::end);
  EXPECT_TRUE(got == body);
}

TEST_F(StreamTest, StoresBeyondTheQueueAreDropped) {
  options.queue_bytes = 100'000;
  open();
  auto large = entry_of(head_for(key(1)), make_body(200'000));
  EXPECT_FALSE(disk->store(large));
  EXPECT_EQ(disk->stats().stores_dropped, 1U);
  EXPECT_TRUE(disk->store(entry_of(head_for(key(2)), make_body(50'000))));
  disk->flush();
  EXPECT_TRUE(disk->store(entry_of(head_for(key(3)), make_body(50'000)))); // the first has left the queue
}

TEST_F(StreamTest, WhatAnInvalidationHasKilledOnItsWayIsNotWritten) {
  open();
  auto entry = begin(key(1), Entry::Keep::all);
  ASSERT_TRUE(disk->store(entry));
  entry->append("old");
  std::vector<EpochRow> rows;
  epochs->apply({{Target{Target::Kind::all, "", ""}}, false, "", ""}, rows);
  entry->complete();
  disk->poke(entry);
  disk->flush();
  EXPECT_EQ(find(key(1)).entry, nullptr);
  EXPECT_EQ(disk->stats().stores, 0U);
}

} // namespace
} // namespace verge::cache
