// An Entry while it grows: states, publication, Blocks, backlog.
#include "cache/entry/entry.h"

#include <gtest/gtest.h>

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

class EntryTest : public ::testing::Test {
 protected:
  EntryRef entry_ = std::make_shared<Entry>(3, &store_);
  std::unique_ptr<Reader> reader(Task wake = nullptr, uint64_t first = 0, uint64_t last = UINT64_MAX) {
    return std::make_unique<Reader>(entry_, loop_, std::move(wake), first, last);
  }
  Task count(int& n) {
    return [&n] { ++n; };
  }
  FakeBodyStore store_;
  ManualExecutor loop_;
};

TEST_F(EntryTest, ReadersSeeOctetsBeforeTheirBlockIsFull) {
  entry_->open(make_head(), Keep::all);
  auto r = reader();
  entry_->append("hel");
  std::string got;
  EXPECT_EQ(drain(*r, got), Next::wait);
  EXPECT_EQ(got, "hel");
  entry_->append("lo");
  EXPECT_EQ(drain(*r, got), Next::wait);
  EXPECT_EQ(got, "hello");
  entry_->complete();
  EXPECT_EQ(drain(*r, got), Next::end);
}

TEST_F(EntryTest, AReaderThatCaughtUpIsWokenOncePerWait) {
  entry_->open(make_head(), Keep::all);
  int woken = 0;
  auto r = reader(count(woken));
  std::string got;
  EXPECT_EQ(drain(*r, got), Next::wait);
  EXPECT_EQ(drain(*r, got), Next::wait);
  EXPECT_EQ(loop_.waiting(), 0u);
  entry_->append("a");
  entry_->append("b");
  EXPECT_EQ(woken, 0) << "never inside append";
  loop_.run();
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(drain(*r, got), Next::wait);
  entry_->complete();
  loop_.run();
  EXPECT_EQ(woken, 2);
  EXPECT_EQ(got, "ab");
}

TEST_F(EntryTest, AWakeOnItsWayToADestroyedReaderDoesNothing) {
  entry_->open(make_head(), Keep::all);
  int woken = 0;
  auto r = reader(count(woken));
  Slice slice;
  EXPECT_EQ(r->next(slice, 1), Next::wait);
  entry_->append("a");
  r.reset();
  EXPECT_EQ(loop_.run(), 1u);
  EXPECT_EQ(woken, 0);
}

TEST_F(EntryTest, AWakeMayDestroyItsReader) {
  entry_->open(make_head(), Keep::all);
  std::unique_ptr<Reader> r;
  auto token = std::make_shared<int>(1);
  r = reader([&r, token] {
    r.reset();
    EXPECT_EQ(*token, 1);
  });
  Slice slice;
  EXPECT_EQ(r->next(slice, 1), Next::wait);
  entry_->append("a");
  loop_.run();
  EXPECT_EQ(r, nullptr);
  EXPECT_EQ(token.use_count(), 1);
}

TEST_F(EntryTest, ManyReadersOfOneLoopAreWokenByOneTask) {
  entry_->open(make_head(), Keep::all);
  int woken = 0;
  std::vector<std::unique_ptr<Reader>> all;
  Slice slice;
  for (int i = 0; i < 100; ++i) {
    all.push_back(reader(count(woken)));
    EXPECT_EQ(all.back()->next(slice, 1), Next::wait);
  }
  all[50].reset();
  all[0].reset();
  entry_->append("a");
  EXPECT_EQ(loop_.run(), 1u);
  EXPECT_EQ(woken, 98);
}

TEST_F(EntryTest, TwoReadersOfDifferentPaceGetTheSameBody) {
  const std::string body = make_body(3 * kBlockBytes + 1234);
  entry_->open(make_head(), Keep::all);
  auto fast = reader(), slow = reader();
  std::string a, b;
  Slice slice;
  for (size_t at = 0; at < body.size(); at += 5000) {
    entry_->append(std::string_view(body).substr(at, 5000));
    EXPECT_EQ(drain(*fast, a), Next::wait);
    if (slow->next(slice, 700) == Next::slice) b += slice.view();
  }
  entry_->complete();
  EXPECT_EQ(drain(*fast, a), Next::end);
  EXPECT_EQ(drain(*slow, b, 999), Next::end);
  EXPECT_EQ(a, body);
  EXPECT_EQ(b, body);
}

TEST_F(EntryTest, ASliceHeldWhileTheLastBlockGrowsKeepsItsOctets) {
  const std::string body = make_body(60'000);
  entry_->open(make_head(), Keep::all);
  auto r = reader();
  entry_->append(std::string_view(body).substr(0, 4000));
  Slice held;
  ASSERT_EQ(r->next(held, SIZE_MAX), Next::slice);
  for (size_t at = 4000; at < body.size(); at += 4000) entry_->append(std::string_view(body).substr(at, 4000));
  entry_->complete();
  std::string got(held.view());
  EXPECT_EQ(got, body.substr(0, 4000));
  EXPECT_EQ(drain(*r, got), Next::end);
  EXPECT_EQ(got, body);
}

TEST_F(EntryTest, BlocksAreExactlyTheirSizeWhetherTheLengthWasKnownOrNot) {
  const std::string body = make_body(2 * kBlockBytes + 100);
  for (const bool known : {true, false}) {
    auto e = std::make_shared<Entry>(1, nullptr);
    e->open(make_head("k", known ? std::optional<uint64_t>(body.size()) : std::nullopt), Keep::all);
    for (size_t at = 0; at < body.size(); at += 30'001) e->append(std::string_view(body).substr(at, 30'001));
    e->complete();
    const auto blocks = e->full_blocks(0);
    ASSERT_EQ(blocks.size(), 3u);
    EXPECT_EQ(blocks[0]->capacity(), kBlockBytes);
    EXPECT_EQ(blocks[2]->capacity(), 100u);
    EXPECT_EQ(std::string_view(blocks[2]->data(), 100), std::string_view(body).substr(2 * kBlockBytes));
    EXPECT_LT(e->ram_bytes(), body.size() + 2000);
  }
}

TEST_F(EntryTest, ASmallBodyOfKnownLengthCostsItsSize) {
  entry_->open(make_head("k", 10), Keep::all);
  entry_->append("01234");
  EXPECT_EQ(entry_->full_blocks(0).size(), 0u) << "the last, partial Block only once complete";
  entry_->append("56789");
  EXPECT_EQ(entry_->blocks().at(0)->capacity(), 10u);
}

TEST_F(EntryTest, ABodyBeyondItsDeclaredLengthFailsByTheOriginsFault) {
  entry_->open(make_head("k", 5), Keep::all);
  auto r = reader();
  entry_->append("0123");
  entry_->append("45");
  EXPECT_EQ(entry_->state(), EntryState::failed);
  EXPECT_EQ(entry_->error().code, Errc::bad_input);
  EXPECT_EQ(entry_->error().side, Side::origin);
  std::string got;
  EXPECT_EQ(drain(*r, got), Next::failed);
  EXPECT_EQ(r->error().code, Errc::bad_input);
}

TEST_F(EntryTest, ABodyShortOfItsDeclaredLengthIsNeverComplete) {
  entry_->open(make_head("k", 5), Keep::all);
  entry_->append("0123");
  entry_->complete();
  EXPECT_EQ(entry_->state(), EntryState::failed);
  EXPECT_EQ(entry_->error().side, Side::origin);
}

TEST_F(EntryTest, TheAnswerToAHeadMayDeclareALengthAndHasNoBody) {
  auto head = make_head("k", 5);
  head->no_body = true;
  entry_->open(head, Keep::until_read);
  entry_->complete();
  EXPECT_EQ(entry_->state(), EntryState::complete);
  EXPECT_EQ(entry_->head()->content_length, 5u);
  EXPECT_EQ(entry_->length(), 0u);
}

TEST_F(EntryTest, CompletionTellsTheLengthThatWasNotDeclared) {
  entry_->open(make_head("k"), Keep::all);
  entry_->append("abc");
  EXPECT_FALSE(entry_->head()->content_length);
  entry_->complete();
  EXPECT_EQ(entry_->head()->content_length, 3u);
  EXPECT_EQ(entry_->head()->key, "k");
}

TEST_F(EntryTest, AnEmptyBodyIsCompleteAndInRam) {
  entry_->open(make_head(), Keep::all);
  entry_->complete();
  EXPECT_TRUE(entry_->in_ram());
  Slice slice;
  EXPECT_EQ(reader()->next(slice, 1), Next::end);
}

TEST_F(EntryTest, AFailureMidwayWakesReadersAndIsNeverAnEnd) {
  entry_->open(make_head(), Keep::all);
  int woken = 0;
  auto r = reader(count(woken));
  std::string got;
  entry_->append("half");
  EXPECT_EQ(drain(*r, got), Next::wait);
  entry_->fail({Errc::closed, Side::origin, Retry::never, "origin went away"});
  loop_.run();
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(drain(*r, got), Next::failed);
  EXPECT_EQ(r->error().what, "origin went away");
  entry_->complete();
  EXPECT_EQ(entry_->state(), EntryState::failed);
}

TEST_F(EntryTest, ReadersMayComeBeforeTheHead) {
  int woken = 0;
  auto r = reader(count(woken));
  Slice slice;
  EXPECT_EQ(r->next(slice, 1), Next::wait);
  entry_->open(make_head(), Keep::all);
  loop_.run();
  EXPECT_EQ(woken, 1);
}

TEST_F(EntryTest, OpeningIsToldOnceAndAtOnceIfItAlreadyHappened) {
  int opened = 0;
  entry_->when_opened(loop_, count(opened));
  EXPECT_EQ(loop_.waiting(), 0u);
  entry_->open(make_head(), Keep::all);
  EXPECT_EQ(opened, 0);
  loop_.run();
  EXPECT_EQ(opened, 1);
  entry_->when_opened(loop_, count(opened));
  loop_.run();
  EXPECT_EQ(opened, 2);
  entry_->complete();
  EXPECT_EQ(loop_.run(), 0u);
}

TEST_F(EntryTest, FollowersHearOfAFailureBeforeTheHead) {
  int opened = 0;
  entry_->when_opened(loop_, count(opened));
  entry_->fail({Errc::timeout, Side::origin, Retry::never, "late"});
  loop_.run();
  EXPECT_EQ(opened, 1);
  EXPECT_EQ(entry_->state(), EntryState::failed);
  EXPECT_EQ(entry_->head(), nullptr);
}

TEST_F(EntryTest, AReaderOfARangeGetsJustThatAndIsDone) {
  const std::string body = make_body(2 * kBlockBytes);
  entry_->open(make_head(), Keep::all);
  entry_->append(body);
  auto r = reader(nullptr, kBlockBytes - 10, kBlockBytes + 9);
  std::string got;
  EXPECT_EQ(drain(*r, got), Next::end);
  EXPECT_EQ(got, body.substr(kBlockBytes - 10, 20));
  EXPECT_EQ(entry_->readers(), 0u) << "a Reader at its end holds nothing up";
  entry_->complete();
  auto later = reader(nullptr, 5, 5);
  got.clear();
  EXPECT_EQ(drain(*later, got), Next::end);
  EXPECT_EQ(got, body.substr(5, 1));
}

TEST_F(EntryTest, AbandonedIsToldWhenTheLastReaderLeaves) {
  entry_->open(make_head(), Keep::until_read);
  int abandoned = 0;
  entry_->when_abandoned(loop_, count(abandoned));
  auto a = reader(), b = reader();
  a.reset();
  loop_.run();
  EXPECT_EQ(abandoned, 0);
  b.reset();
  loop_.run();
  EXPECT_EQ(abandoned, 1);
}

TEST_F(EntryTest, LeavingACompleteEntryIsNotAbandoning) {
  entry_->open(make_head(), Keep::until_read);
  int abandoned = 0;
  entry_->when_abandoned(loop_, count(abandoned));
  auto r = reader();
  entry_->complete();
  r.reset();
  EXPECT_EQ(loop_.run(), 0u);
}

TEST_F(EntryTest, ACompleteEntryOverGivenBlocksIsReadWithoutState) {
  auto head = make_head("k", 3);
  head->seq = 9;
  entry_ = Entry::complete_from(head, {BlockRef::copy_of("abc")}, 3, 0, nullptr);
  EXPECT_TRUE(entry_->in_ram());
  EXPECT_EQ(entry_->seq(), 9u);
  auto r = reader();
  EXPECT_EQ(entry_->readers(), 0u) << "it needs no registration";
  std::string got;
  EXPECT_EQ(drain(*r, got, 2), Next::end);
  EXPECT_EQ(got, "abc");
}

} // namespace
} // namespace verge::cache
