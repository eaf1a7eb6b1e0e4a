// Answers that loops hold on to and give without a lock, while they are invalidated and stored anew. Worth most under
// the thread sanitizer.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <atomic>
#include <charconv>
#include <thread>

#include "tests/cache/cache_fixture.h"

namespace verge::cache {
namespace {

using testing::kKey;

constexpr int kLoops = 3;
constexpr int kVersions = 100;

class KeptThreads : public testing::CacheFixture {
 protected:
  static std::string body(int version) { return fmt::format("{:<1000}", version); }
  static int version_of(const Slice& body) {
    int version = 0;
    std::from_chars(body.view().data(), body.view().data() + body.size, version);
    return version;
  }

  // Gives the answer over and over, as a loop does: found once, then held as long as it still is the answer.
  void give() {
    testing::ManualExecutor loop;
    RamFront front;
    std::optional<RamKept> kept;
    Slice lent;
    while (!stop_.load()) {
      const int ended = ended_.load();
      if (kept && cache_->still(*kept)) {
        const Slice on_its_way = lent;
        EXPECT_GT(version_of(on_its_way), ended);
        kept->entry->count_hit();
        continue;
      }
      kept.reset();
      const auto found = cache_->held(kKey, {}, front);
      if (!found.entry) continue;
      kept = cache_->keep(kKey, found.entry, front);
      if (!kept) continue;
      Reader reader(kept->entry, loop, [] {}, 0, UINT64_MAX);
      ASSERT_EQ(reader.next(lent, 1'000), Reader::Next::slice);
      lent.block = BlockRef::lend(lent.block);
      const int version = version_of(lent);
      for (int before = held_.load(); before < version && !held_.compare_exchange_weak(before, version);) {
      }
    }
  }

  std::atomic<int> ended_{0}; // versions up to this one are invalidated, and who did it knows
  std::atomic<int> held_{0};  // the newest version that a loop held on to
  std::atomic<bool> stop_{false};
};

TEST_F(KeptThreads, NobodyGivesAnAnswerOnceItsInvalidationHasReturned) {
  start(false);
  std::vector<std::thread> loops;
  for (int i = 0; i < kLoops; ++i) loops.emplace_back([this] { give(); });
  for (int version = 1; version <= kVersions; ++version) {
    store(body(version));
    while (held_.load() < version) std::this_thread::yield();
    store(body(version), "https://a.example/beside");
    EXPECT_GT(purge("https://a.example/x"), 0U);
    ended_ = version;
  }
  stop_ = true;
  for (auto& loop : loops) loop.join();
}

TEST_F(KeptThreads, WhatIsStoredAnewTakesItsPlaceAtOnce) {
  start(false);
  std::vector<std::thread> loops;
  for (int i = 0; i < kLoops; ++i) loops.emplace_back([this] { give(); });
  for (int version = 1; version <= kVersions; ++version) {
    store(body(version));
    ended_ = version - 1;
    while (held_.load() < version) std::this_thread::yield();
  }
  stop_ = true;
  for (auto& loop : loops) loop.join();
}

} // namespace
} // namespace verge::cache
