#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <future>
#include <thread>

#include "tests/cache/lmdb/disk_support.h"

namespace verge::cache {
namespace {

using testing::DiskTest;
using testing::head_for;
using testing::make_body;

class EvictionTest : public DiskTest {
 protected:
  EvictionTest() { options.bytes = 8ull << 20; }
  uint64_t blocks_on_disk() const {
    const auto file = std::filesystem::path(options.path) / "data.mdb";
    return std::filesystem::file_size(file);
  }
  // Without flushing each.
  void store(const std::string& at, std::string_view body, testing::HeadSpec spec = {}) {
    while (!disk->store(entry_of(head_for(at, spec), body))) disk->flush();
    clock.advance(Seconds(1)); // leases of what was found run out
  }
  std::string big(int n) { return make_body(100'000 + static_cast<size_t>(n)); }
};

TEST_F(EvictionTest, TheOldestGoFirstAndTheFileStaysWithinTheMap) {
  open();
  constexpr int kAll = 400; // 40 MB through 8
  for (int i = 0; i < kAll; ++i) store(key(i), big(i));
  disk->flush();
  const auto stats = disk->stats();
  EXPECT_EQ(stats.stores, static_cast<uint64_t>(kAll));
  EXPECT_EQ(stats.write_errors, 0U);
  EXPECT_GT(stats.evicted, 300U);
  EXPECT_EQ(stats.entries + stats.evicted, static_cast<uint64_t>(kAll));
  EXPECT_LE(stats.bytes_used, options.bytes / 10 * 9);
  EXPECT_LE(blocks_on_disk(), options.bytes);
  const int oldest = kAll - static_cast<int>(stats.entries);
  for (int i = 0; i < kAll; ++i) {
    const auto found = find(key(i)).entry;
    EXPECT_EQ(found != nullptr, i >= oldest) << i;
    if (found) {
      EXPECT_TRUE(body_of(found) == big(i));
    }
  }
}

TEST_F(EvictionTest, SmallResponsesGoTheSameWay) {
  open();
  constexpr int kAll = 20'000;
  for (int i = 0; i < kAll; ++i) store(key(i), make_body(1'000));
  disk->flush();
  const auto stats = disk->stats();
  EXPECT_EQ(stats.entries + stats.evicted, static_cast<uint64_t>(kAll));
  EXPECT_GT(stats.entries, 4'000U); // 8 MB at about 1.3 KB each
  EXPECT_TRUE(get(key(kAll - 1)) == make_body(1'000));
  EXPECT_EQ(find(key(0)).entry, nullptr);
  EXPECT_EQ(stats.write_errors, 0U);
}

TEST_F(EvictionTest, WhatWasReadGetsASecondChance) {
  open();
  store(key(0), big(0));
  store(key(1), "small and hot");
  store(key(2), big(2));
  disk->flush();
  for (int i = 10; i < 200; ++i) {
    store(key(i), big(i));
    if (i % 20 == 0) { // read now and then, it outlives a whole turn of the store
      disk->flush();
      EXPECT_TRUE(get(key(0)) == big(0)) << i;
      EXPECT_EQ(get(key(1)), "small and hot") << i;
    }
  }
  disk->flush();
  EXPECT_EQ(find(key(2)).entry, nullptr);
  for (int i = 200; i < 400; ++i) store(key(i), big(i));
  disk->flush();
  EXPECT_EQ(find(key(0)).entry, nullptr); // not read any more
}

TEST_F(EvictionTest, ServedFromMemoryCountsAsRead) {
  open();
  const auto entry = put(key(0), big(0));
  for (int i = 10; i < 120; ++i) {
    if (i % 20 == 0) disk->flush();
    disk->touch(entry->body_id());
    store(key(i), big(i));
  }
  disk->flush();
  EXPECT_TRUE(get(key(0)) == big(0));
}

TEST_F(EvictionTest, WhatAnInvalidationHasKilledGetsNoSecondChance) {
  open();
  store(key(0), big(0), {.tags = {"t"}});
  disk->flush();
  EXPECT_TRUE(get(key(0)) == big(0));
  std::vector<EpochRow> rows;
  epochs->apply({{Target{Target::Kind::tag, "", "t"}}, false, "", ""}, rows);
  for (int i = 10; i < 90; ++i) store(key(i), big(i), {.seq = 2});
  disk->flush();
  EXPECT_EQ(find(key(0)).entry, nullptr);
}

TEST_F(EvictionTest, APinnedBodyStaysAndGoesWhenItIsLetGo) {
  open();
  put(key(0), big(0));
  auto held = find(key(0)).entry;
  ASSERT_NE(held, nullptr);
  ASSERT_FALSE(held->in_ram());
  auto reader = std::make_unique<Reader>(held, loop, [] {}, 0, UINT64_MAX);
  const uint64_t id = held->body_id();
  for (int i = 10; i < 200; ++i) store(key(i), big(i));
  disk->flush();
  std::string got;
  Reader::Next next = testing::drain(*reader, got);
  while (next == Reader::Next::wait && loop.run() > 0) next = testing::drain(*reader, got);
  EXPECT_EQ(next, Reader::Next::end);
  EXPECT_TRUE(got == big(0));

  reader.reset();
  held.reset();
  clock.advance(Seconds(10)); // the lease of whoever found it is over
  for (int i = 200; i < 400; ++i) store(key(i), big(i));
  disk->flush();
  const auto gone = disk->read_chunk(id, 0, loop, [](auto) {});
  ASSERT_FALSE(gone.has_value());
  EXPECT_EQ(gone.error().code, Errc::not_found);
}

TEST_F(EvictionTest, WhatWasJustFoundStaysLongEnoughToBeRead) {
  open();
  put(key(0), big(0));
  const auto found = find(key(0)).entry; // no Reader yet
  ASSERT_NE(found, nullptr);
  for (int i = 10; i < 200; ++i) {
    while (!disk->store(entry_of(head_for(key(i)), big(i)))) disk->flush(); // within a moment: the clock stands
  }
  disk->flush();
  EXPECT_TRUE(body_of(found) == big(0));
}

TEST_F(EvictionTest, VariantsAndTheirListsGoToo) {
  options.variants = 50;
  open();
  for (int i = 0; i < 50; ++i)
    store("https://www.example.com/v", "variant", {.vary_fields = {"x-a"}, .vary_values = std::to_string(i)});
  disk->flush();
  EXPECT_EQ(disk->stats().entries, 50U);
  for (int i = 10; i < 200; ++i) store(key(i), big(i));
  disk->flush();
  EXPECT_FALSE(find("https://www.example.com/v").other_variants);
}

TEST_F(EvictionTest, MixedSizesChurnWithoutErrorInASmallMap) {
  options.bytes = 4ull << 20;
  open();
  uint64_t x = 42;
  for (int i = 0; i < 600; ++i) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    const size_t size = (x >> 33) % (i % 10 == 0 ? 900'000 : 20'000);
    store(key(i % 97), make_body(size));
    if (i % 7 == 0) get(key(static_cast<int>((x >> 40) % 97)));
  }
  disk->flush();
  EXPECT_EQ(disk->stats().write_errors, 0U);
  EXPECT_TRUE(disk->stats().writable);
  EXPECT_LE(blocks_on_disk(), options.bytes);
}

// Somebody reads while the map is written through, and ends when the writer can do nothing without.
TEST_F(EvictionTest, AReaderThatTakesLongIsWaitedForAndNothingIsDropped) {
  options.bytes = 4ull << 20;
  options.reader_patience = Seconds(60);
  open();
  for (int i = 0; i < 60; ++i) store(key(i), big(i));
  disk->flush();

  std::promise<void> reads, go_on;
  bool first = true;
  disk->list(
      0, 1,
      [&](const StoredHead&) {
        if (std::exchange(first, false)) {
          reads.set_value();
          go_on.get_future().wait();
        }
        return true;
      },
      loop, [](Listing) {});
  reads.get_future().wait();
  const uint64_t dropped = disk->stats().stores_dropped;
  std::thread stores([&] {
    for (int i = 100; i < 160; ++i) store(key(i), big(i));
    disk->flush();
  });
  while (disk->stats().reader_waits == 0) std::this_thread::yield();
  // One that does not really wait tries on, and gives up.
  for (int i = 0; i < 20'000 && disk->stats().write_errors == 0; ++i) std::this_thread::yield();
  go_on.set_value();
  stores.join();
  EXPECT_EQ(disk->stats().write_errors, 0U);
  EXPECT_EQ(disk->stats().stores_dropped, dropped);
  EXPECT_TRUE(get(key(159)) == big(159));
  loop.run();
}

TEST_F(EvictionTest, WhenEverythingIsPinnedStoresAreDroppedAndReadsGoOn) {
  open();
  for (int i = 0; i < 60; ++i) store(key(i), big(i));
  disk->flush();
  std::vector<std::pair<EntryRef, uint64_t>> pinned;
  for (int i = 0; i < 60; ++i) {
    const auto entry = find(key(i)).entry;
    ASSERT_NE(entry, nullptr);
    disk->pin(entry->body_id());
    pinned.emplace_back(entry, entry->body_id());
  }
  for (int i = 100; i < 130; ++i) store(key(i), big(i));
  disk->flush();
  for (int i = 0; i < 60; ++i) EXPECT_TRUE(get(key(i)) == big(i));
  EXPECT_TRUE(disk->stats().writable);
  for (const auto& [entry, id] : pinned) disk->unpin(id);
  clock.advance(Seconds(10));
  store(key(500), big(500));
  disk->flush();
  EXPECT_TRUE(get(key(500)) == big(500));
}

TEST_F(EvictionTest, ASmallerMapAfterARestartIsKeptToo) {
  options.bytes = 32ull << 20;
  open();
  for (int i = 0; i < 250; ++i) store(key(i), big(i));
  disk->flush();
  options.bytes = 8ull << 20;
  open();
  EXPECT_TRUE(get(key(249)) == big(249));
  store(key(300), big(300));
  disk->flush();
  EXPECT_LE(disk->stats().bytes_used, options.bytes);
  EXPECT_TRUE(get(key(300)) == big(300));
}

} // namespace
} // namespace verge::cache
