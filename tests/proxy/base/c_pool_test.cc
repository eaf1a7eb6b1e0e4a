#include "proxy/base/c_pool.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace verge::c_pool {
namespace {

TEST(CPool, GivesAsMuchAsIsAskedForWhateverWasKept) {
  for (int round = 0; round < 3; ++round) {
    std::vector<void*> held;
    for (size_t n = 0; n <= kLargest + 300; n += n < 1'200 ? 1 : 37) {
      void* p = take(n);
      ASSERT_NE(p, nullptr);
      ASSERT_GE(::malloc_usable_size(p), n);
      std::memset(p, 0xab, n);
      held.push_back(p);
    }
    for (void* p : held) give(p);
  }
  give(nullptr);
}

#if !defined(__SANITIZE_ADDRESS__)
TEST(CPool, GivesAThreadWhatItFreedLast) {
  void* first = take(100);
  give(first);
  EXPECT_EQ(take(101), first) << "of the same step";
  give(first);
  void* other = take(200);
  EXPECT_NE(other, first);
  give(other);
}
#endif

TEST(CPool, ExchangesPiecesWithTheHeap) {
  give(std::malloc(48));
  std::free(take(48));
  give(std::malloc(1));
  give(std::malloc(kLargest + 1));
  std::free(take(kLargest));
}

TEST(CPool, TakesBackWhatAnotherThreadTook) {
  void* p = nullptr;
  std::thread([&] { p = take(200); }).join();
  give(p);
}

TEST(CPool, KeepsWhatStandsInAPieceThatGrowsOrShrinks) {
  char* p = static_cast<char*>(again(nullptr, 10));
  std::memcpy(p, "0123456789", 10);
  for (const size_t n : {size_t{11}, size_t{24}, size_t{25}, size_t{1'000}, size_t{5'000}, kLargest, kLargest + 1,
                         size_t{100'000}, size_t{60}, size_t{10}}) {
    p = static_cast<char*>(again(p, n));
    ASSERT_NE(p, nullptr);
    ASSERT_GE(::malloc_usable_size(p), n);
    EXPECT_EQ(std::string(p, 10), "0123456789") << n;
  }
  EXPECT_EQ(again(p, 0), nullptr);
}

TEST(CPool, KeepsABoundedAmount) {
  std::vector<void*> held;
  const size_t before = ::mallinfo2().uordblks;
  for (int i = 0; i < 2'000; ++i) held.push_back(take(1'000));
  for (void* p : held) give(p);
  EXPECT_LT(::mallinfo2().uordblks, before + 2 * kKeptBytes);
}

} // namespace
} // namespace verge::c_pool
