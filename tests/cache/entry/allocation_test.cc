// A hit must cost nothing but reference counts: counted by the allocator of this test program.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "cache/entry/entry.h"
#include "tests/cache/support.h"

namespace {
thread_local size_t g_allocations = 0;
}

[[gnu::noinline]] void* operator new(size_t size) {
  ++g_allocations;
  void* p = std::malloc(size == 0 ? 1 : size);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, size_t) noexcept { std::free(p); }

namespace verge::cache {
namespace {

TEST(Hit, AReaderOfACompleteEntryInRamAllocatesNothing) {
  testing::ManualExecutor loop;
  const std::string body = testing::make_body(3 * kBlockBytes);
  auto growing = std::make_shared<Entry>(1, nullptr);
  growing->open(testing::make_head(), Entry::Keep::all);
  growing->append(body);
  growing->complete();
  const size_t before = g_allocations;
  uint64_t octets = 0;
  {
    Reader reader(growing, loop, [&octets] { ++octets; }, 0, UINT64_MAX);
    Slice slice;
    while (reader.next(slice, 10'000) == Reader::Next::slice) octets += slice.size;
    EXPECT_EQ(reader.next(slice, 10'000), Reader::Next::end);
  }
  EXPECT_EQ(g_allocations, before);
  EXPECT_EQ(octets, body.size());
}

TEST(Miss, AReaderOfASmallBodyThatCameBeforeItAllocatesNothing) {
  testing::ManualExecutor loop;
  auto passing = std::make_shared<Entry>(1, nullptr);
  passing->open(testing::make_head(), Entry::Keep::until_read);
  passing->append(testing::make_body(2 * kBlockBytes));
  passing->complete();
  const size_t before = g_allocations;
  {
    Reader reader(passing, loop, nullptr, 0, UINT64_MAX);
    Slice slice;
    EXPECT_EQ(reader.next(slice, kBlockBytes), Reader::Next::slice);
    EXPECT_EQ(reader.next(slice, kBlockBytes), Reader::Next::slice);
    EXPECT_EQ(reader.next(slice, kBlockBytes), Reader::Next::end);
  }
  EXPECT_EQ(g_allocations, before);
}

} // namespace
} // namespace verge::cache
