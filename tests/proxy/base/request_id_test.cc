#include "proxy/base/request_id.h"

#include <gtest/gtest.h>

#include <set>

namespace verge {
namespace {

TEST(RequestId, IsSixteenHexDigits) {
  EXPECT_EQ(request_id_text(0), "0000000000000000");
  EXPECT_EQ(request_id_text(0x0fedcba987654321), "123456789abcdef0");
}

TEST(RequestId, IsAnotherEachTime) {
  std::set<uint64_t> seen;
  for (int i = 0; i < 1'000; ++i) seen.insert(new_request_id());
  EXPECT_EQ(seen.size(), 1'000u);
}

} // namespace
} // namespace verge
