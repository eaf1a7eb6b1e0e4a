// How a Fill brings a response into RAM and onto disk, at whose pace, and when it stops.
#include "tests/cache/cache_fixture.h"

namespace verge::cache {
namespace {

using namespace testing;
using Keep = Entry::Keep;

class FillTest : public CacheFixture {
 protected:
  static CacheOptions small_windows() {
    CacheOptions options;
    options.ram_object_bytes = 2 * kBlockBytes;
    options.fill_window_bytes = 4 * kBlockBytes;
    options.pass_window_bytes = 2 * kBlockBytes;
    return options;
  }
  bool append_block(Fill& fill) { return fill.append(block_); }
  std::string block_ = make_body(kBlockBytes);
};

TEST_F(FillTest, ASmallResponseIsFoundInRamOnceComplete) {
  start(false);
  auto fill = lead();
  fill->open_storing(head(5));
  fill->append("hel");
  EXPECT_FALSE(lookup().entry);
  fill->append("lo");
  fill->complete();
  const auto found = lookup();
  EXPECT_EQ(found.tier, Tier::ram);
  EXPECT_EQ(body_of(found.entry), "hello");
  EXPECT_EQ(cache_->stats().ram_entries, 1u);
}

TEST_F(FillTest, AResponseShortOfItsLengthIsNotKept) {
  start(true);
  auto fill = lead();
  fill->open_storing(head(6));
  fill->append("hello");
  fill->complete();
  disk_->write();
  EXPECT_EQ(fill->entry()->state(), EntryState::failed);
  EXPECT_FALSE(lookup().entry);
  EXPECT_EQ(cache_->stats().flights, 0u);
}

TEST_F(FillTest, AResponseBeyondItsLengthFailsAtOnce) {
  start(true);
  auto fill = lead();
  fill->open_storing(head(3));
  EXPECT_TRUE(fill->append("hello")) << "nothing to wait for";
  EXPECT_EQ(fill->entry()->state(), EntryState::failed);
  EXPECT_TRUE(join().fill);
}

TEST_F(FillTest, TheHeadCarriesTheSeqOfWhenTheFetchWasSent) {
  start(false);
  auto fill = lead();
  const uint64_t seq = fill->entry()->seq();
  purge("/other");
  fill->open_storing(head()); // made after the purge
  fill->complete();
  EXPECT_EQ(lookup().entry->head()->seq, seq);
}

TEST_F(FillTest, ALargeResponseGoesToDiskAndLeavesRamOnTheWay) {
  start(true, small_windows());
  auto fill = lead();
  fill->open_storing(head(8 * kBlockBytes));
  EXPECT_EQ(fill->entry()->keep(), Keep::until_on_disk);
  std::string body;
  for (int i = 0; i < 8; ++i) {
    EXPECT_TRUE(append_block(*fill));
    body += block_;
    disk_->write();
    EXPECT_LT(fill->entry()->ram_bytes(), 2 * kBlockBytes);
  }
  fill->complete();
  disk_->write();
  loop_.run();
  EXPECT_EQ(cache_->stats().flights, 0u);
  const auto found = lookup();
  EXPECT_EQ(found.tier, Tier::disk);
  EXPECT_EQ(body_of(found.entry), body);
}

TEST_F(FillTest, ACompleteLargeResponseIsSharedUntilTheDiskHasIt) {
  start(true, small_windows());
  auto fill = lead();
  fill->open_storing(head(3 * kBlockBytes));
  for (int i = 0; i < 3; ++i) append_block(*fill);
  fill->complete();
  fill.reset();
  EXPECT_FALSE(lookup().entry);
  EXPECT_FALSE(join().fill) << "one origin request, though neither RAM nor disk knows it yet";
  disk_->write();
  loop_.run();
  EXPECT_EQ(cache_->stats().flights, 0u);
  EXPECT_TRUE(lookup().entry);
}

TEST_F(FillTest, AResponseOfUnknownLengthMovesToDiskWhenItOutgrowsRam) {
  start(true, small_windows());
  auto fill = lead();
  fill->open_storing(head());
  append_block(*fill);
  append_block(*fill);
  disk_->write();
  EXPECT_EQ(fill->entry()->keep(), Keep::all);
  EXPECT_EQ(fill->entry()->blocks().size(), 2u);
  append_block(*fill);
  EXPECT_EQ(fill->entry()->keep(), Keep::until_on_disk);
  EXPECT_FALSE(fill->entry()->blocks().at(0));
  fill->complete();
  disk_->write();
  loop_.run();
  EXPECT_EQ(body_of(lookup().entry), block_ + block_ + block_);
  EXPECT_EQ(cache_->stats().ram_entries, 0u);
}

TEST_F(FillTest, TheOriginIsHeldBackUntilTheDiskHasCaughtUpToHalfTheWindow) {
  start(true, small_windows());
  auto fill = lead();
  fill->open_storing(head(20 * kBlockBytes));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(append_block(*fill));
  EXPECT_FALSE(append_block(*fill));
  EXPECT_FALSE(append_block(*fill)) << "what was on its way is taken";
  loop_.run();
  EXPECT_EQ(resumed_, 0);
  disk_->write();
  EXPECT_EQ(resumed_, 0) << "never inside";
  loop_.run();
  EXPECT_EQ(resumed_, 1);
  EXPECT_TRUE(append_block(*fill));
}

TEST_F(FillTest, ABodyOfAFewWindowsComesAtTheOriginsPaceAndTheDiskTakesItWhenItIsWhole) {
  start(true, small_windows());
  auto fill = lead();
  fill->open_storing(head(10 * kBlockBytes));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(append_block(*fill)) << i;
  EXPECT_EQ(disk_->pokes, 0);
  fill->complete();
  EXPECT_EQ(disk_->pokes, 1);
}

TEST_F(FillTest, NoMoreBodiesGoAheadOfTheDiskThanTogetherFitAFewWindows) {
  start(true, small_windows());
  auto first = lead();
  first->open_storing(head(10 * kBlockBytes));
  auto second = lead("https://a.example/y");
  second->open_storing(head(10 * kBlockBytes, "https://a.example/y"));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(append_block(*second));
  EXPECT_FALSE(append_block(*second));
  first->fail({});
  first.reset();
  auto third = lead("https://a.example/z");
  third->open_storing(head(10 * kBlockBytes, "https://a.example/z"));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(append_block(*third)) << i;
}

TEST_F(FillTest, APassingResponseGoesAtItsReadersPace) {
  start(true, small_windows());
  auto fill = cache_->solo(loop_, [this] { ++resumed_; }, [this] { ++abandoned_; });
  fill->open_passing(head());
  auto r = reader(fill->entry());
  EXPECT_TRUE(append_block(*fill));
  EXPECT_TRUE(append_block(*fill));
  EXPECT_FALSE(append_block(*fill));
  std::string got;
  EXPECT_EQ(drain(*r, got), Reader::Next::wait);
  loop_.run();
  EXPECT_EQ(resumed_, 1);
  EXPECT_EQ(abandoned_, 0);
  EXPECT_LT(fill->entry()->ram_bytes(), 10'000u);
  disk_->write();
  EXPECT_EQ(disk_->records(), 0u);
}

TEST_F(FillTest, APassingFetchIsAbandonedWhenItsReaderLeaves) {
  start(true);
  auto fill = lead();
  fill->open_passing(head());
  auto r = reader(fill->entry());
  r.reset();
  EXPECT_EQ(abandoned_, 0);
  loop_.run();
  EXPECT_EQ(abandoned_, 1);
}

TEST_F(FillTest, APassingFetchWhoseReaderNeverCameIsAbandonedAtItsWindow) {
  start(true, small_windows());
  auto fill = lead();
  fill->open_passing(head());
  while (append_block(*fill)) {
  }
  EXPECT_EQ(abandoned_, 0);
  loop_.run();
  EXPECT_EQ(abandoned_, 1);
}

TEST_F(FillTest, AStoringFetchGoesOnWhenAllReadersHaveLeft) {
  start(true);
  auto fill = lead();
  fill->open_storing(head(5));
  reader(fill->entry()).reset();
  loop_.run();
  EXPECT_EQ(abandoned_, 0);
  fill->append("hello");
  fill->complete();
  EXPECT_EQ(body_of(lookup().entry), "hello");
}

TEST_F(FillTest, AStoringFetchIsAbandonedWhenTheDiskGivesUpAndNobodyReads) {
  start(true, small_windows());
  auto fill = lead();
  fill->open_storing(head(20 * kBlockBytes));
  reader(fill->entry()).reset();
  loop_.run();
  EXPECT_EQ(abandoned_, 0);
  while (append_block(*fill)) {
  }
  disk_->give_up();
  loop_.run();
  EXPECT_EQ(abandoned_, 1);
}

TEST_F(FillTest, WhenTheDiskRefusesALargeResponseIsDeliveredAndNotShared) {
  start(true, small_windows());
  disk_->refuse = true;
  auto fill = lead();
  auto follower = join().entry;
  fill->open_storing(head(3 * kBlockBytes));
  auto mine = reader(fill->entry()), theirs = reader(follower);
  EXPECT_TRUE(join().fill) << "those who come later could miss the beginning";
  std::string a, b;
  for (int i = 0; i < 3; ++i) {
    append_block(*fill);
    drain(*mine, a);
    drain(*theirs, b);
  }
  fill->complete();
  EXPECT_EQ(drain(*mine, a), Reader::Next::end);
  EXPECT_EQ(drain(*theirs, b), Reader::Next::end);
  EXPECT_EQ(a, block_ + block_ + block_);
  EXPECT_EQ(b, a);
}

TEST_F(FillTest, WhenTheDiskRefusesASmallResponseIsStillKeptInRam) {
  start(true);
  disk_->refuse = true;
  store("hello");
  EXPECT_EQ(lookup().tier, Tier::ram);
}

TEST_F(FillTest, WithoutADiskALargeResponsePassesAndIsRemembered) {
  start(false, small_windows());
  auto fill = lead();
  auto follower = join().entry;
  fill->open_storing(head(3 * kBlockBytes));
  EXPECT_EQ(follower->error().code, Errc::refused);
  EXPECT_EQ(fill->entry()->keep(), Keep::until_read);
  EXPECT_TRUE(join().fill);
  EXPECT_TRUE(join().fill);
}

TEST_F(FillTest, WithoutADiskAResponseThatOutgrowsRamIsDeliveredToThoseWhoRead) {
  start(false, small_windows());
  auto fill = lead();
  fill->open_storing(head());
  auto r = reader(fill->entry());
  std::string got, body;
  for (int i = 0; i < 6; ++i) {
    append_block(*fill);
    body += block_;
    drain(*r, got);
  }
  EXPECT_EQ(fill->entry()->keep(), Keep::until_read);
  EXPECT_TRUE(join().fill);
  fill->complete();
  EXPECT_EQ(drain(*r, got), Reader::Next::end);
  EXPECT_EQ(got, body);
  EXPECT_FALSE(lookup().entry);
}

TEST_F(FillTest, ResumeAndAbandonedMayDestroyTheFill) {
  start(true, small_windows());
  std::unique_ptr<Fill> fill;
  int ended = 0;
  const auto end = [&] {
    fill.reset();
    ++ended;
  };
  fill = cache_->solo(loop_, end, end);
  fill->open_passing(head());
  const EntryRef entry = fill->entry();
  reader(entry).reset();
  loop_.run();
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(entry->state(), EntryState::failed);
  EXPECT_EQ(loop_.run(), 0u);
}

} // namespace
} // namespace verge::cache
