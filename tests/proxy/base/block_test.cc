#include "proxy/base/block.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace verge {
namespace {

TEST(Block, IsAllocatedToItsSize) {
  EXPECT_EQ(BlockRef::make(1024)->capacity(), 1024u);
  EXPECT_EQ(BlockRef::make(0)->capacity(), 0u);
  EXPECT_EQ(kBlockBytes, 16u * 4096 - 16);
}

TEST(Block, CopiesTheOctetsItIsGiven) {
  std::string octets = "hello";
  const Slice slice = Slice::copy_of(octets);
  octets = "other";
  EXPECT_EQ(slice.view(), "hello");
  EXPECT_EQ(Slice::copy_of("").view(), "");
}

TEST(Block, LivesAsLongAsAnyReference) {
  BlockRef first = BlockRef::copy_of("octets");
  const char* data = first->data();
  BlockRef second = first;
  Slice part{first, 2, 3};
  first = BlockRef();
  EXPECT_FALSE(first);
  second = BlockRef();
  EXPECT_EQ(part.view(), "tet");
  EXPECT_EQ(part.block->data(), data);
}

TEST(Block, ChangesHandsWithoutACopy) {
  BlockRef first = BlockRef::copy_of("octets");
  const Block* block = first.get();
  BlockRef second = std::move(first);
  EXPECT_EQ(second.get(), block);
  second = *&second; // a reference assigned to itself stays
  EXPECT_EQ(std::string_view(second->data(), 6), "octets");
}

TEST(Block, IsLentUnderACountOfItsOwnAndHeldAliveByThat) {
  BlockRef own = BlockRef::copy_of("octets");
  const char* at = own->data();
  BlockRef lent = BlockRef::lend(own);
  EXPECT_NE(lent.get(), own.get());
  EXPECT_EQ(lent->data(), at) << "not copied";
  EXPECT_EQ(lent->capacity(), 6u);
  own = {};
  const Slice slice{lent, 1, 3};
  lent = {};
  EXPECT_EQ(slice.view(), "cte");
}

TEST(Block, IsSharedBetweenThreads) {
  const Slice shared = Slice::copy_of(std::string(kBlockBytes, 'x'));
  std::vector<std::thread> threads;
  std::atomic<size_t> seen{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([mine = shared, &seen] {
      for (int n = 0; n < 1000; ++n) {
        const Slice again = mine;
        seen += again.view().back() == 'x' ? 1 : 0;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(seen, 4000u);
}

} // namespace
} // namespace verge
