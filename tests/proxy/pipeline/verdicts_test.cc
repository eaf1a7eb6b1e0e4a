#include "proxy/pipeline/verdicts.h"

#include <gtest/gtest.h>

namespace verge::pipeline {
namespace {

using policy::StoreVerdict;

TEST(Verdicts, RememberTheLatestOfAKey) {
  Verdicts v;
  EXPECT_FALSE(v.find("http://a/"));
  v.note("http://a/", WallTime(Seconds(1)), StoreVerdict::set_cookie, 200);
  v.note("http://a/", WallTime(Seconds(2)), StoreVerdict::no_store, 404, "more");
  const auto row = v.find("http://a/");
  ASSERT_TRUE(row);
  EXPECT_EQ(row->verdict, StoreVerdict::no_store);
  EXPECT_EQ(row->status, 404);
  EXPECT_EQ(row->detail, "more");
  EXPECT_EQ(row->time, WallTime(Seconds(2)));
}

TEST(Verdicts, HoldSoManyAndNoLongKeys) {
  Verdicts v;
  const int many = 20'000;
  for (int i = 0; i < many; ++i) v.note("http://a/" + std::to_string(i), {}, StoreVerdict::no_store, 200);
  int known = 0;
  for (int i = 0; i < many; ++i) known += v.find("http://a/" + std::to_string(i)) ? 1 : 0;
  EXPECT_GT(known, 1'000);
  EXPECT_LE(known, static_cast<int>(Verdicts::kShards * Verdicts::kSlots));
  const std::string longest(Verdicts::kLongestKey + 1, 'x');
  v.note(longest, {}, StoreVerdict::no_store, 200);
  EXPECT_FALSE(v.find(longest));
}

} // namespace
} // namespace verge::pipeline
