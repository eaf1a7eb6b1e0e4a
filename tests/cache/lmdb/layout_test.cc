// How much of the file a stored response takes, and that it comes back whatever its size: counted, not timed.
#include <gtest/gtest.h>

#include <random>

#include "cache/lmdb/env.h"
#include "cache/lmdb/record.h"
#include "tests/cache/lmdb/disk_support.h"

namespace verge::cache {
namespace {

using testing::DiskTest;
using testing::head_for;
using testing::make_body;

class LayoutTest : public DiskTest {
 protected:
  // A head of about 300 octets as an origin sends it.
  static std::shared_ptr<StoredHead> ordinary_head(const std::string& key) {
    auto head = head_for(key);
    head->headers.clear();
    head->headers.add("server", "nginx/1.22.1");
    head->headers.add("date", "Sun, 06 Nov 2044 08:49:37 GMT");
    head->headers.add("content-type", "text/html; charset=utf-8");
    head->headers.add("last-modified", "Sat, 05 Nov 2044 17:12:05 GMT");
    head->headers.add("etag", "\"9e3779b97f4a7c15\"");
    head->headers.add("cache-control", "public, max-age=31536000");
    head->headers.add("accept-ranges", "bytes");
    head->headers.add("x-content-type-options", "nosniff");
    head->h1_text.clear();
    for (const auto [name, value] : head->headers) head->h1_text.append(name).append(": ").append(value).append("\r\n");
    head->request_time = head->response_time = WallTime(Seconds(2'362'000'000));
    head->site = 0x9e3779b9;
    return head;
  }
  void store_all(int count, size_t size) {
    const std::string body = make_body(size);
    for (int n = 0; n < count; ++n) {
      while (!disk->store(entry_of(ordinary_head(key(n)), body))) disk->flush();
    }
    disk->flush();
    ASSERT_EQ(disk->stats().entries, static_cast<uint64_t>(count));
  }
  // Of all the file, LMDB's own pages and the index included.
  uint64_t octets_each(int count, size_t size) {
    open();
    const uint64_t before = disk->stats().bytes_used;
    store_all(count, size);
    return (disk->stats().bytes_used - before) / static_cast<uint64_t>(count);
  }
  void change(const EntryRef& entry, const std::string& value) {
    auto fresh = std::make_shared<StoredHead>(*entry->head());
    fresh->headers.set("x-new", value);
    disk->update_head(entry, fresh);
    disk->flush();
  }
};

TEST_F(LayoutTest, AResponseOfFourKilobytesTakesAPageAndACornerOfAnother) {
  const size_t head = ordinary_head(key(1))->h1_text.size();
  EXPECT_GE(head, 250U);
  EXPECT_LE(head, 400U);
  EXPECT_LE(octets_each(5'000, 4'096), 4'500U);
}

TEST_F(LayoutTest, WhatIsStoredAloneTakesNoMoreThanWhatIsStoredInOneGo) {
  open();
  const uint64_t before = disk->stats().bytes_used;
  for (int n = 0; n < 500; ++n) {
    ASSERT_TRUE(disk->store(entry_of(ordinary_head(key(n)), make_body(4'096))));
    disk->flush();
  }
  EXPECT_LE((disk->stats().bytes_used - before) / 500, 4'600U); // the index is half empty yet
}

TEST_F(LayoutTest, SmallResponsesShareTheirPages) { EXPECT_LE(octets_each(5'000, 200), 600U); }

TEST_F(LayoutTest, ResponsesOfThreeKilobytesTakeOnePageWithTheirHead) { EXPECT_LE(octets_each(5'000, 3'000), 4'300U); }

// Every size near an edge, alone and behind full Blocks; found, read as a stream, freshened, and after a restart.
TEST_F(LayoutTest, BodiesComeBackOnBothSidesOfEveryEdge) {
  open();
  std::vector<size_t> sizes;
  const size_t head = encode_record(1, *ordinary_head(key(100)), 4'096, "", 0).value.size();
  for (const size_t full : {size_t{0}, kBlockBytes, 2 * kBlockBytes}) {
    for (const size_t edge : {size_t{2}, 2'000 - head, 4'080 - head, size_t{4'080}, 6'080 - head, 8'176 - head,
                              size_t{8'176}, size_t{16'384}, size_t{36'848}, kBlockBytes - 2}) {
      for (size_t size = edge - 2; size <= edge + 2; ++size) sizes.push_back(full + size);
    }
  }
  const auto expect_all = [&](std::string_view when) {
    for (size_t n = 0; n < sizes.size(); ++n) {
      const auto found = find(key(static_cast<int>(n))).entry;
      ASSERT_NE(found, nullptr) << sizes[n] << when;
      ASSERT_TRUE(body_of(found) == make_body(sizes[n])) << sizes[n] << when;
      // A Reader that has nothing in memory takes each Block from disk.
      const auto bare = Entry::complete_from(found->head(), {}, found->length(), found->body_id(), disk.get());
      ASSERT_TRUE(body_of(bare) == make_body(sizes[n])) << sizes[n] << when << ", Block by Block";
    }
  };
  for (size_t n = 0; n < sizes.size(); ++n)
    ASSERT_TRUE(disk->store(entry_of(ordinary_head(key(static_cast<int>(n))), make_body(sizes[n]))));
  disk->flush();
  expect_all(" as stored");
  for (size_t n = 0; n < sizes.size(); ++n)
    change(find(key(static_cast<int>(n))).entry, std::string(n % 3 == 0 ? 2'500 : 40, 'v'));
  expect_all(" after a 304");
  open();
  expect_all(" after a restart");
}

TEST_F(LayoutTest, AnySizeComesBackAsItWas) {
  open();
  std::mt19937 random(7);
  std::vector<size_t> sizes;
  for (int n = 0; n < 400; ++n) {
    const auto bits = 1 + random() % 18;
    sizes.push_back(random() % (size_t{1} << bits));
    auto head = ordinary_head(key(n));
    if (random() % 2 != 0) head->headers.add("x-long", std::string(random() % 5'000, 'l'));
    ASSERT_TRUE(disk->store(entry_of(head, make_body(sizes.back()))));
    if (random() % 8 == 0) disk->flush();
  }
  disk->flush();
  for (int n = 0; n < 400; ++n) {
    const auto found = find(key(n)).entry;
    ASSERT_NE(found, nullptr) << sizes[static_cast<size_t>(n)];
    EXPECT_TRUE(body_of(found) == make_body(sizes[static_cast<size_t>(n)])) << sizes[static_cast<size_t>(n)];
  }
}

// A 304 writes the head, not the body.
TEST_F(LayoutTest, AFreshenedHeadLeavesTheBodysPagesWhereTheyAre) {
  open();
  store_all(200, 40'000);
  const uint64_t before = disk->stats().bytes_used;
  for (int n = 0; n < 200; ++n) change(find(key(n)).entry, "v");
  EXPECT_LE(disk->stats().bytes_used, before + 64 * 4'096);
  EXPECT_EQ(disk->stats().entries, 200U);
  EXPECT_TRUE(get(key(7)) == make_body(40'000));
}

} // namespace
} // namespace verge::cache
