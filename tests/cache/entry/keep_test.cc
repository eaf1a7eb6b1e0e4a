// What an Entry holds in RAM: dropping Blocks to the disk, or behind the slowest Reader, and the producer's pace.
#include <gtest/gtest.h>

#include "cache/entry/entry.h"
#include "tests/cache/support.h"

namespace verge::cache {
namespace {

using testing::drain;
using testing::FakeBodyStore;
using testing::make_body;
using testing::make_head;
using testing::ManualExecutor;
using Keep = Entry::Keep;
using Next = Reader::Next;

constexpr uint64_t kBody = 7;

class KeepTest : public ::testing::Test {
 protected:
  std::unique_ptr<Reader> reader(Task wake = nullptr, uint64_t first = 0) {
    return std::make_unique<Reader>(entry_, loop_, std::move(wake), first, UINT64_MAX);
  }
  Task count(int& n) {
    return [&n] { ++n; };
  }
  size_t held() const {
    size_t n = 0;
    for (const auto& block : entry_->blocks()) n += block ? 1 : 0;
    return n;
  }
  void append_blocks(size_t from, size_t to) {
    entry_->append(std::string_view(body_).substr(from * kBlockBytes, (to - from) * kBlockBytes));
  }
  std::string body_ = make_body(8 * kBlockBytes + 77);
  FakeBodyStore store_;
  ManualExecutor loop_;
  EntryRef entry_ = std::make_shared<Entry>(1, &store_);
};

TEST_F(KeepTest, BlocksOnDiskLeaveRamAndSlowReadersReadThemFromThere) {
  store_.put_body(kBody, body_);
  entry_->open(make_head("k", body_.size()), Keep::until_on_disk);
  auto slow = reader();
  append_blocks(0, 4);
  EXPECT_EQ(held(), 4u);
  entry_->on_disk(kBody, 3);
  EXPECT_EQ(held(), 1u);
  EXPECT_EQ(entry_->full_blocks(3).size(), 1u);
  std::string got;
  EXPECT_EQ(drain(*slow, got, 50'000), Next::wait);
  EXPECT_EQ(got, body_.substr(0, 4 * kBlockBytes));
  EXPECT_EQ(store_.reads, 3);
  append_blocks(4, 9);
  entry_->complete();
  EXPECT_FALSE(entry_->in_ram());
  entry_->on_disk(kBody, 9);
  EXPECT_EQ(held(), 0u);
  EXPECT_EQ(drain(*slow, got), Next::end);
  EXPECT_EQ(got, body_);
  std::string late;
  EXPECT_EQ(drain(*reader(), late), Next::end);
  EXPECT_EQ(late, body_);
}

TEST_F(KeepTest, AColdChunkIsWaitedFor) {
  store_.put_body(kBody, body_);
  store_.cold = true;
  entry_ = Entry::complete_from(make_head("k", body_.size()), {}, body_.size(), kBody, &store_);
  int woken = 0;
  auto r = reader(count(woken));
  std::string got;
  for (int chunk = 0; chunk < 9; ++chunk) {
    ASSERT_EQ(drain(*r, got), Next::wait);
    ASSERT_EQ(drain(*r, got), Next::wait) << "asked once only";
    EXPECT_EQ(store_.reads, chunk + 1);
    store_.answer();
    loop_.run();
    EXPECT_EQ(woken, chunk + 1);
  }
  EXPECT_EQ(drain(*r, got), Next::end);
  EXPECT_EQ(got, body_);
}

TEST_F(KeepTest, AColdChunkForADestroyedReaderIsForgotten) {
  store_.put_body(kBody, body_);
  store_.cold = true;
  entry_ = Entry::complete_from(make_head("k", body_.size()), {}, body_.size(), kBody, &store_);
  int woken = 0;
  auto r = reader(count(woken));
  Slice slice;
  EXPECT_EQ(r->next(slice, 1), Next::wait);
  r.reset();
  store_.answer();
  loop_.run();
  EXPECT_EQ(woken, 0);
}

TEST_F(KeepTest, AnEvictedChunkFailsTheReaderAndIsNeverShort) {
  store_.put_body(kBody, body_);
  store_.lose(kBody, 5);
  entry_ = Entry::complete_from(make_head("k", body_.size()), {}, body_.size(), kBody, &store_);
  auto r = reader();
  std::string got;
  EXPECT_EQ(drain(*r, got), Next::failed);
  EXPECT_EQ(got.size(), 5 * kBlockBytes);
  EXPECT_EQ(r->error().code, Errc::not_found);
  Slice slice;
  EXPECT_EQ(r->next(slice, 1), Next::failed) << "and stays so";
}

TEST_F(KeepTest, AnEvictedColdChunkFailsTheReader) {
  store_.cold = true;
  entry_ = Entry::complete_from(make_head("k", 10), {}, 10, kBody, &store_);
  int woken = 0;
  auto r = reader(count(woken));
  Slice slice;
  EXPECT_EQ(r->next(slice, 1), Next::wait);
  store_.answer();
  loop_.run();
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(r->next(slice, 1), Next::failed);
}

TEST_F(KeepTest, AChunkOfTheWrongSizeFailsTheReader) {
  store_.put(kBody, 0, "short");
  entry_ = Entry::complete_from(make_head("k", 10), {}, 10, kBody, &store_);
  auto r = reader();
  std::string got;
  EXPECT_EQ(drain(*r, got), Next::failed);
  EXPECT_EQ(r->error().code, Errc::storage);
  EXPECT_EQ(got, "");
}

TEST_F(KeepTest, TheBodyIsPinnedWhileItMayBeRead) {
  store_.put_body(kBody, body_);
  entry_ = Entry::complete_from(make_head("k", body_.size()), {}, body_.size(), kBody, &store_);
  EXPECT_EQ(store_.pins(kBody), 0);
  auto a = reader(), b = reader();
  EXPECT_EQ(store_.pins(kBody), 1);
  entry_ = nullptr;
  a.reset();
  EXPECT_EQ(store_.pins(kBody), 1);
  b.reset();
  EXPECT_EQ(store_.pins(kBody), 0);
}

TEST_F(KeepTest, TheBodyIsPinnedBeforeItsFirstBlockLeavesRam) {
  entry_->open(make_head(), Keep::until_on_disk);
  append_blocks(0, 2);
  entry_->on_disk(kBody, 1);
  EXPECT_EQ(store_.pins(kBody), 1);
  entry_ = nullptr;
  EXPECT_EQ(store_.pins(kBody), 0);
}

TEST_F(KeepTest, ALargeBodyOnDiskTakesNoMoreMemoryThanASmallOne) {
  const auto small = Entry::complete_from(make_head("k", 10), {}, 10, kBody, &store_);
  const auto large = Entry::complete_from(make_head("k", 1 << 30), {}, 1 << 30, kBody, &store_);
  EXPECT_EQ(large->ram_bytes(), small->ram_bytes());
  EXPECT_FALSE(large->in_ram());
}

TEST_F(KeepTest, AnEntryWhollyInRamPinsNothing) {
  entry_ = Entry::complete_from(make_head("k", 3), {BlockRef::copy_of("abc")}, 3, kBody, &store_);
  auto r = reader();
  EXPECT_EQ(store_.pins(kBody), 0);
}

TEST_F(KeepTest, WithoutDroppingTheDiskOnlyGivesAnId) {
  entry_->open(make_head(), Keep::all);
  append_blocks(0, 2);
  entry_->on_disk(kBody, 2);
  EXPECT_EQ(held(), 2u);
  EXPECT_EQ(entry_->body_id(), kBody);
  EXPECT_EQ(entry_->backlog(), 0u);
  entry_->complete();
  EXPECT_TRUE(entry_->in_ram());
}

TEST_F(KeepTest, ABodyThatOutgrowsRamGoesToDiskFromThereOn) {
  store_.put_body(kBody, body_);
  entry_->open(make_head(), Keep::all);
  auto r = reader();
  append_blocks(0, 3);
  entry_->on_disk(kBody, 2);
  entry_->keep_less(Keep::until_on_disk);
  EXPECT_EQ(held(), 1u);
  EXPECT_EQ(store_.pins(kBody), 1);
  EXPECT_EQ(entry_->backlog(), kBlockBytes);
  append_blocks(3, 9);
  entry_->complete();
  entry_->on_disk(kBody, 9);
  std::string got;
  EXPECT_EQ(drain(*r, got), Next::end);
  EXPECT_EQ(got, body_);
}

TEST_F(KeepTest, ABodyThatOutgrowsRamAndWasRefusedByTheDiskIsKeptForItsReadersOnly) {
  entry_->open(make_head(), Keep::all);
  auto r = reader();
  entry_->not_on_disk();
  append_blocks(0, 3);
  EXPECT_EQ(entry_->keep(), Keep::all);
  entry_->keep_less(Keep::until_on_disk);
  EXPECT_EQ(entry_->keep(), Keep::until_read);
  std::string got;
  EXPECT_EQ(drain(*r, got), Next::wait);
  EXPECT_EQ(held(), 0u);
}

TEST_F(KeepTest, BlocksGoOnceTheSlowestReaderHasPassed) {
  entry_->open(make_head(), Keep::until_read);
  append_blocks(0, 3);
  EXPECT_EQ(held(), 3u) << "the first Reader is yet to come";
  auto fast = reader(), slow = reader();
  std::string a, b;
  EXPECT_EQ(drain(*fast, a), Next::wait);
  EXPECT_EQ(held(), 3u);
  Slice slice;
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(slow->next(slice, SIZE_MAX), Next::slice);
    b += slice.view();
    EXPECT_EQ(held(), 2u - static_cast<size_t>(i));
  }
  append_blocks(3, 9);
  entry_->complete();
  EXPECT_EQ(drain(*fast, a), Next::end);
  EXPECT_EQ(drain(*slow, b), Next::end);
  EXPECT_EQ(a, body_);
  EXPECT_EQ(b, body_);
}

TEST_F(KeepTest, AReaderThatLeavesHoldsNothingUp) {
  entry_->open(make_head(), Keep::until_read);
  auto fast = reader(), slow = reader();
  append_blocks(0, 3);
  std::string a;
  EXPECT_EQ(drain(*fast, a), Next::wait);
  slow.reset();
  EXPECT_EQ(held(), 0u);
}

TEST_F(KeepTest, AReaderThatComesTooLateIsToldToAskAnew) {
  entry_->open(make_head(), Keep::until_read);
  auto first = reader();
  append_blocks(0, 2);
  std::string a;
  EXPECT_EQ(drain(*first, a), Next::wait);
  auto late = reader();
  EXPECT_EQ(drain(*late, a), Next::failed);
  EXPECT_EQ(late->error().code, Errc::closed);
}

TEST_F(KeepTest, WhenTheDiskGivesUpTheReadersGoOn) {
  store_.put_body(kBody, body_);
  entry_->open(make_head(), Keep::until_on_disk);
  auto r = reader();
  append_blocks(0, 3);
  entry_->on_disk(kBody, 2);
  entry_->not_on_disk();
  append_blocks(3, 9);
  entry_->complete();
  std::string got;
  EXPECT_EQ(drain(*r, got), Next::end);
  EXPECT_EQ(got, body_);
  EXPECT_EQ(store_.reads, 2);
}

TEST_F(KeepTest, WhenTheDiskGivesUpAndNobodyReadsTheProducerHears) {
  entry_->open(make_head(), Keep::until_on_disk);
  int abandoned = 0;
  entry_->when_abandoned(loop_, count(abandoned));
  append_blocks(0, 3);
  entry_->not_on_disk();
  loop_.run();
  EXPECT_EQ(abandoned, 1);
}

TEST_F(KeepTest, TheProducerGoesOnWhenTheDiskHasCaughtUp) {
  entry_->open(make_head(), Keep::until_on_disk);
  append_blocks(0, 4);
  EXPECT_EQ(entry_->backlog(), 4 * kBlockBytes);
  int resumed = 0;
  entry_->when_backlog_below(2 * kBlockBytes, loop_, count(resumed));
  entry_->on_disk(kBody, 2);
  loop_.run();
  EXPECT_EQ(resumed, 0);
  entry_->on_disk(kBody, 3);
  loop_.run();
  EXPECT_EQ(resumed, 1);
  entry_->on_disk(kBody, 4);
  loop_.run();
  EXPECT_EQ(resumed, 1) << "once";
  entry_->when_backlog_below(1, loop_, count(resumed));
  loop_.run();
  EXPECT_EQ(resumed, 2) << "at once if so already";
}

TEST_F(KeepTest, TheProducerOfWhatIsNotStoredGoesAtTheSlowestReadersPace) {
  entry_->open(make_head(), Keep::until_read);
  auto r = reader();
  append_blocks(0, 2);
  int resumed = 0;
  entry_->when_backlog_below(kBlockBytes, loop_, count(resumed));
  Slice slice;
  ASSERT_EQ(r->next(slice, kBlockBytes), Next::slice);
  loop_.run();
  EXPECT_EQ(resumed, 0);
  ASSERT_EQ(r->next(slice, 1), Next::slice);
  loop_.run();
  EXPECT_EQ(resumed, 1);
}

TEST_F(KeepTest, AReaderThatLeavesLetsTheProducerGoOn) {
  entry_->open(make_head(), Keep::until_read);
  auto slow = reader(), fast = reader();
  append_blocks(0, 2);
  std::string got;
  EXPECT_EQ(drain(*fast, got), Next::wait);
  int resumed = 0;
  entry_->when_backlog_below(kBlockBytes, loop_, count(resumed));
  EXPECT_EQ(loop_.run(), 0u);
  slow.reset();
  loop_.run();
  EXPECT_EQ(resumed, 1);
}

TEST_F(KeepTest, AnEntryIsSettledWhenItIsWhollyOnDiskOrRefused) {
  int settled = 0;
  entry_->open(make_head(), Keep::until_on_disk);
  entry_->when_settled(loop_, count(settled));
  append_blocks(0, 9);
  entry_->on_disk(kBody, 8);
  entry_->complete();
  loop_.run();
  EXPECT_EQ(settled, 0);
  entry_->on_disk(kBody, 9);
  loop_.run();
  EXPECT_EQ(settled, 1);

  entry_ = std::make_shared<Entry>(1, &store_);
  entry_->open(make_head(), Keep::until_on_disk);
  entry_->not_on_disk();
  entry_->when_settled(loop_, count(settled));
  loop_.run();
  EXPECT_EQ(settled, 2);
}

} // namespace
} // namespace verge::cache
