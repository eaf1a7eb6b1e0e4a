#include "config/nearest.h"

#include <gtest/gtest.h>

namespace verge::config {
namespace {

TEST(Nearest, CountsInsertionsDeletionsReplacementsAndSwaps) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("origin", "orgin"), 1u);
  EXPECT_EQ(edit_distance("origin", "oirgn"), 2u);
  EXPECT_EQ(edit_distance("head", "haed"), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

TEST(Nearest, IsTheClosestWithinAThirdOfTheWord) {
  EXPECT_EQ(nearest("lisen", {"sites", "listen"}), "listen");
  EXPECT_EQ(nearest("ca", {"cap", "cache"}), "cap");
  EXPECT_EQ(nearest("zebra", {"sites", "listen"}), "");
  EXPECT_EQ(nearest(std::string(100, 'a'), {std::string_view("a")}), "");
}

TEST(Nearest, NamesAllWhenNoneIsNear) {
  EXPECT_EQ(meant("lisen", {"sites", "listen"}), "; did you mean \"listen\"?");
  EXPECT_EQ(meant("zebra", {"sites", "listen"}), "; known are: sites, listen");
  EXPECT_EQ(meant("zebra", {}), "");
}

} // namespace
} // namespace verge::config
