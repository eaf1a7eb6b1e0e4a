#include "proxy/net/recent.h"

#include <gtest/gtest.h>

#include <memory>

namespace verge::net {
namespace {

Octets32 key(unsigned char n) {
  Octets32 out{};
  out[0] = n;
  return out;
}

TEST(Recent, GivesBackWhatWasPutAndTheLastOfTwo) {
  Recent<int> recent(4);
  EXPECT_FALSE(recent.find(key(1)));
  recent.put(key(1), 10);
  recent.put(key(2), 20);
  recent.put(key(1), 11);
  EXPECT_EQ(recent.find(key(1)), 11);
  EXPECT_EQ(recent.find(key(2)), 20);
  EXPECT_EQ(recent.size(), 2U);
}

TEST(Recent, LetsGoOfWhatWasNotAskedForTheLongest) {
  Recent<int> recent(3);
  for (unsigned char i = 1; i <= 3; ++i) recent.put(key(i), i);
  EXPECT_TRUE(recent.find(key(1)));
  recent.put(key(4), 4);
  EXPECT_EQ(recent.size(), 3U);
  EXPECT_FALSE(recent.find(key(2)));
  EXPECT_TRUE(recent.find(key(1)));
  EXPECT_TRUE(recent.find(key(3)));
  EXPECT_TRUE(recent.find(key(4)));
}

TEST(Recent, ForgetsWhatIsErasedAndFreesIt) {
  Recent<std::shared_ptr<int>> recent(3);
  const auto value = std::make_shared<int>(1);
  recent.put(key(1), value);
  EXPECT_EQ(value.use_count(), 2);
  recent.erase(key(1));
  recent.erase(key(9));
  EXPECT_EQ(value.use_count(), 1);
  EXPECT_EQ(recent.size(), 0U);
}

TEST(Recent, FreesWhatItLetsGo) {
  Recent<std::shared_ptr<int>> recent(1);
  const auto value = std::make_shared<int>(1);
  recent.put(key(1), value);
  recent.put(key(2), nullptr);
  EXPECT_EQ(value.use_count(), 1);
}

TEST(Recent, OfNoneRemembersNothing) {
  Recent<int> recent(0);
  recent.put(key(1), 1);
  EXPECT_FALSE(recent.find(key(1)));
}

} // namespace
} // namespace verge::net
