// What a loop remembers of keys that nothing is stored under: it spares locks and system calls, and must never hide
// what came since, by whatever way.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <thread>

#include "tests/cache/cache_fixture.h"

namespace verge::cache {
namespace {

using namespace testing;

// As the pipeline looks: what never waits first.
Cache::Lookup look_in(Cache& cache, std::string_view key, RamFront& front, Executor& loop) {
  Cache::Lookup found = cache.held(key, {}, front);
  if (found.entry || found.absent) return found;
  return cache.lookup(key, {}, loop, [](const Cache::Lookup&) {}, &front);
}

class AbsentTest : public CacheFixture {
 protected:
  Cache::Lookup look(std::string_view key = kKey) { return look_in(*cache_, key, front_, loop_); }
  // Looks until it is known that there is nothing.
  void miss(std::string_view key = kKey) {
    EXPECT_FALSE(look(key).entry);
    EXPECT_TRUE(cache_->held(key, {}, front_).absent);
    EXPECT_FALSE(cache_->arrived(key, {}, front_));
  }
  static CacheOptions disk_only() {
    CacheOptions options;
    options.ram_object_bytes = 0;
    return options;
  }
  RamFront front_;
};

TEST_F(AbsentTest, TheDiskIsAskedOnce) {
  start(true);
  for (int i = 0; i < 9; ++i) EXPECT_FALSE(look().entry);
  EXPECT_EQ(disk_->finds, 1);
  EXPECT_FALSE(lookup().entry);
  EXPECT_EQ(disk_->finds, 2) << "who brings no memory looks for himself";
}

TEST_F(AbsentTest, WhatIsPutIntoMemoryIsFound) {
  for (const bool with_disk : {false, true}) {
    start(with_disk);
    miss();
    store("hello");
    EXPECT_TRUE(cache_->arrived(kKey, {}, front_));
    EXPECT_EQ(body_of(look().entry), "hello");
  }
}

TEST_F(AbsentTest, WhatGoesToDiskOnlyIsFoundWhenItIsThere) {
  start(true, disk_only());
  miss();
  auto fill = lead();
  fill->open_storing(head(5));
  fill->append("large");
  fill->complete();
  miss();
  disk_->write();
  EXPECT_EQ(look().tier, Tier::disk);
}

TEST_F(AbsentTest, WhatLeftMemoryBeforeTheDiskHadItIsFoundThereLater) {
  start(true);
  auto fill = lead();
  fill->open_storing(head(5));
  fill->append("hello");
  fill->complete();
  cache_->erase(look().entry);
  miss();
  disk_->write();
  EXPECT_EQ(look().tier, Tier::disk);
}

TEST_F(AbsentTest, WhatWasEvictedIsMissedOnceAndFoundWhenItComesAgain) {
  CacheOptions options;
  options.memory_bytes = 1 << 20;
  start(false, options);
  store("hello");
  for (int i = 0; i < 300; ++i) store(std::string(10'000, 'x'), fmt::format("https://a.example/{}", i));
  miss();
  store("again");
  EXPECT_EQ(body_of(look().entry), "again");
}

TEST_F(AbsentTest, WhatIsErasedAndAdoptedIsFound) {
  start(true);
  store("hello");
  const EntryRef entry = look().entry;
  ASSERT_TRUE(entry);
  cache_->erase(entry);
  miss();
  cache_->adopt(entry, head(5));
  EXPECT_EQ(body_of(look().entry), "hello");
}

TEST_F(AbsentTest, WhatIsFreshenedUnderAnotherKeyIsFoundThere) {
  for (const bool in_memory : {true, false}) {
    start(true, in_memory ? CacheOptions{} : disk_only());
    store("hello", "https://a.example/old");
    const EntryRef entry = look("https://a.example/old").entry;
    ASSERT_TRUE(entry);
    miss();
    cache_->refresh(entry, head(5));
    EXPECT_TRUE(look().entry);
  }
}

TEST_F(AbsentTest, WhatAnInvalidationEndedIsFetchedAnewAndFound) {
  start(false);
  store("old");
  purge("/x");
  miss();
  store("new");
  EXPECT_EQ(body_of(look().entry), "new");
}

TEST_F(AbsentTest, OtherVariantsAreRememberedAsThat) {
  start(true);
  auto h = head(2);
  h->vary_fields = {"accept-language"};
  h->vary_values = "de\n";
  auto fill = lead();
  fill->open_storing(h);
  fill->append("de");
  fill->complete();
  for (int i = 0; i < 2; ++i) {
    const auto found = look();
    EXPECT_FALSE(found.entry);
    EXPECT_FALSE(found.absent);
    EXPECT_TRUE(found.other_variants);
  }
  disk_->write();
  cache_->erase(cache_->variants(kKey, 1).front());
  miss();
}

TEST_F(AbsentTest, WhatTheDiskCanNotSayAtOnceIsAskedAgain) {
  start(true);
  disk_->cold = true;
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(look().pending);
  EXPECT_EQ(disk_->finds, 2);
}

TEST_F(AbsentTest, ARuleThatIsLearntMeanwhileLeadsToWhatIsFiledUnderIt) {
  start(false);
  const std::string_view mine = "https://a.example/p?a=1&b=2", other = "https://a.example/p?a=1&b=3";
  miss(other);
  auto h = head(5, mine);
  h->url = mine;
  h->headers.add("no-vary-search", "params=(\"b\")");
  h->key = policy::search_key(mine, *policy::search_rule(h->headers));
  auto fill = lead(mine);
  fill->open_storing(h);
  fill->append("hello");
  fill->complete();
  EXPECT_EQ(body_of(look(other).entry), "hello");
  EXPECT_TRUE(cache_->arrived(other, {}, front_));
}

TEST_F(AbsentTest, AKeyIsNotTakenForOneThatSharesItsSlot) {
  RamFront front;
  EXPECT_FALSE(front.knows_absent({0, 0})) << "nothing is remembered yet";
  front.remember_absent({5, 0});
  EXPECT_TRUE(front.knows_absent({5, 0}));
  EXPECT_FALSE(front.knows_absent({5, 1})) << "something came";
  EXPECT_FALSE(front.knows_absent({5 + 1'024, 0}));
  front.remember_absent({5 + 1'024, 0});
  EXPECT_FALSE(front.knows_absent({5, 0})) << "its slot was taken";
}

TEST_F(AbsentTest, EachProcessHashesInItsOwnWay) { EXPECT_NE(Changes(1).hash(kKey), Changes(2).hash(kKey)); }

// Loops ask for a key over and over while it is stored: as soon as who stored it knows, nobody may miss it. Worth most
// under the thread sanitizer.
class AbsentThreads : public AbsentTest {
 protected:
  static constexpr int kLoops = 3;
  static std::string key(int n) { return fmt::format("https://a.example/{}", n); }

  void ask(int keys, ManualExecutor& loop) {
    RamFront front;
    for (int n = 1; n <= keys && !HasFailure();) {
      const bool stored = stored_.load() >= n;
      const auto found = look_in(*cache_, key(n), front, loop);
      if (found.entry) {
        ++n;
      } else if (found.absent) {
        EXPECT_FALSE(stored) << n;
        std::this_thread::yield();
      }
    }
  }
  template <class Store>
  void race(int keys, const Store& store) {
    std::vector<std::thread> loops;
    for (ManualExecutor& on : executors_) loops.emplace_back([this, keys, &on] { ask(keys, on); });
    for (int n = 1; n <= keys; ++n) {
      store(key(n));
      stored_ = n;
      std::this_thread::yield();
    }
    for (auto& loop : loops) loop.join();
  }
  std::array<ManualExecutor, kLoops> executors_;
  std::atomic<int> stored_{0}; // keys up to this one are
};

TEST_F(AbsentThreads, NobodyMissesWhatIsInMemory) {
  start(false);
  race(300, [this](const std::string& key) { store("hello", key); });
}

// The same over the real disk, and nothing in memory.
class AbsentOnDisk : public AbsentThreads {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(path_);
    CacheOptions options = disk_only();
    options.disk.path = path_;
    options.disk.bytes = 64ull << 20;
    auto opened = Cache::open(options, clock_);
    ASSERT_TRUE(opened) << opened.error().what;
    cache_ = std::move(*opened);
  }
  void TearDown() override {
    cache_.reset();
    std::filesystem::remove_all(path_);
  }
  void store_there(std::string_view key, size_t size = 5) {
    store(std::string(size, 'x'), key);
    cache_->flush();
  }
  const std::string path_ = ::testing::TempDir() + "verge-absent-test-" + std::to_string(::getpid());
};

TEST_F(AbsentOnDisk, NobodyMissesWhatIsStored) {
  race(100, [this](const std::string& key) { store_there(key); });
}

TEST_F(AbsentOnDisk, WhatIsFreshenedUnderAnotherKeyIsFoundThere) {
  constexpr size_t kSize = 200'000; // too large to come into memory with its head
  store_there("https://a.example/old", kSize);
  const EntryRef entry = lookup("https://a.example/old").entry;
  ASSERT_TRUE(entry);
  miss();
  cache_->refresh(entry, head(kSize));
  cache_->flush();
  EXPECT_EQ(look().tier, Tier::disk);
}

} // namespace
} // namespace verge::cache
