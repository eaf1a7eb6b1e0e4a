// A disk that is full or fails: storing stops and says so, serving goes on, and it heals.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include "tests/cache/lmdb/disk_support.h"

namespace verge::cache {
namespace {

using testing::DiskTest;
using testing::head_for;
using testing::make_body;

// The kernel refuses writes beyond a size that the test sets: as a full disk does, with another number.
class FullDiskTest : public DiskTest {
 protected:
  FullDiskTest() {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    old_ = ::signal(SIGXFSZ, SIG_IGN);
  }
  ~FullDiskTest() override {
    disk.reset();
    allow(before_.rlim_cur);
    ::signal(SIGXFSZ, old_);
  }
  void allow(rlim_t bytes) {
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  void allow_all() { allow(before_.rlim_cur); }

 private:
  rlimit before_{};
  sighandler_t old_ = SIG_DFL;
};

TEST_F(FullDiskTest, StoringStopsServingGoesOnAndItHealsWhenThereIsRoomAgain) {
  open();
  put(key(1), make_body(100'000));
  allow(2u << 20);
  int refused = 0;
  for (int i = 10; i < 60; ++i) {
    if (!disk->store(entry_of(head_for(key(i)), make_body(100'000)))) ++refused;
    if (i % 5 == 0) disk->flush();
  }
  disk->flush();
  EXPECT_FALSE(disk->stats().writable);
  EXPECT_GT(disk->stats().write_errors, 0U);
  EXPECT_GT(refused, 0); // told at once, instead of queued in vain
  EXPECT_TRUE(get(key(1)) == make_body(100'000));

  std::optional<Result<>> told;
  disk->put_note("k", "v", loop, [&](Result<> r) { told = std::move(r); });
  while (!told) loop.run();
  EXPECT_FALSE(told->has_value());

  allow_all();
  disk->flush(); // tries again at once
  EXPECT_TRUE(disk->stats().writable);
  put(key(2), make_body(100'000));
  EXPECT_TRUE(get(key(2)) == make_body(100'000));
  open();
  EXPECT_TRUE(get(key(1)) == make_body(100'000));
  EXPECT_TRUE(get(key(2)) == make_body(100'000));
}

TEST_F(FullDiskTest, AnEntryThatGrowsWhenTheDiskFillsUpStillReachesItsReader) {
  open();
  auto entry = std::make_shared<Entry>(1, disk.get());
  entry->open(head_for(key(1)), Entry::Keep::until_on_disk);
  ASSERT_TRUE(disk->store(entry));
  Reader reader(entry, loop, [] {}, 0, UINT64_MAX);
  const std::string body = make_body(6u << 20);
  std::string got;
  for (size_t at = 0; at < body.size(); at += 500'000) {
    if (at == 2'000'000) {
      disk->flush();
      allow(3u << 20);
    }
    entry->append(std::string_view(body).substr(at, 500'000));
    disk->poke(entry);
    disk->flush();
  }
  entry->complete();
  disk->poke(entry);
  disk->flush();
  Reader::Next next = testing::drain(reader, got);
  while (next == Reader::Next::wait && loop.run() > 0) next = testing::drain(reader, got);
  EXPECT_EQ(next, Reader::Next::end);
  EXPECT_TRUE(got == body);
  EXPECT_EQ(find(key(1)).entry, nullptr);
  allow_all();
}

} // namespace
} // namespace verge::cache
