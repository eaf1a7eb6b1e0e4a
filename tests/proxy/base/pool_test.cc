#include "proxy/base/pool.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace verge::pool {
namespace {

TEST(Pool, GivesMemoryOfAnySize) {
  std::vector<std::pair<void*, size_t>> held;
  for (const size_t n : {size_t{0}, size_t{1}, kStep, kStep + 1, kLargest, kLargest + 1, size_t{1} << 20}) {
    void* p = take(n);
    std::memset(p, 0xab, n);
    held.emplace_back(p, n);
  }
  for (const auto& [p, n] : held) give(p, n);
  give(nullptr, 1);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(Pool, GivesAThreadWhatItFreedLast) {
  void* first = take(100);
  give(first, 100);
  EXPECT_EQ(take(110), first) << "of the same step";
  give(first, 110);
  void* other = take(kStep * 5);
  EXPECT_NE(other, first);
  give(other, kStep * 5);
}
#endif

TEST(Pool, TakesBackWhatAnotherThreadTook) {
  void* p = nullptr;
  std::thread([&] { p = take(200); }).join();
  give(p, 200);
}

TEST(Pool, HoldsNodesOfContainers) {
  std::unordered_map<int, std::string, std::hash<int>, std::equal_to<>, Allocator<std::pair<const int, std::string>>> m;
  for (int i = 0; i < 1'000; ++i) m[i] = std::to_string(i);
  for (int i = 0; i < 1'000; i += 2) m.erase(i);
  for (int i = 0; i < 1'000; ++i) EXPECT_EQ(m.contains(i), i % 2 == 1);
}

TEST(Pool, MakesSharedObjectsThatEndWithTheirLastOwner) {
  int ended = 0;
  struct Counts {
    int& ended;
    std::string text;
    ~Counts() { ++ended; }
  };
  std::weak_ptr<Counts> watched;
  {
    const auto first = pool::make_shared<Counts>(Counts{ended, "once"});
    ended = 0; // the one it was made from
    watched = first;
    const auto second = watched.lock();
    EXPECT_EQ(second->text, "once");
  }
  EXPECT_EQ(ended, 1);
  EXPECT_TRUE(watched.expired()) << "what watches outlives the object, and not its memory";
}

TEST(Pool, KeepsObjectsOfATypeThatAnotherThreadEnds) {
  auto made = pool::make_shared<std::vector<int>>(1'000, 7);
  std::thread([moved = std::move(made)] { EXPECT_EQ(moved->back(), 7); }).join();
}

TEST(Spares, ComeBackAndAreBounded) {
  Spares<std::string, 2> spares;
  for (int i = 0; i < 3; ++i) {
    std::string s;
    s.reserve(500);
    spares.keep(std::move(s));
  }
  EXPECT_GE(spares.take().capacity(), 500u);
  EXPECT_GE(spares.take().capacity(), 500u);
  EXPECT_LT(spares.take().capacity(), 500u);
}

} // namespace
} // namespace verge::pool
