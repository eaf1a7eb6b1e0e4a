#include "proxy/base/path_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace verge {
namespace {

uint64_t highest(const PathTree<uint64_t>& tree, std::string_view text) {
  uint64_t value = 0;
  tree.visit(text, [&](uint64_t v) { value = std::max(value, v); });
  return value;
}

TEST(PathTree, FindsEveryPrefixOfThePathWhateverTheOrderTheyCameIn) {
  PathTree<uint64_t> tree;
  tree.add_prefix("/abcd", 1);
  tree.add_prefix("/ab", 2); // parts the label of the first
  tree.add_prefix("/abx", 3);
  int found = 0;
  tree.visit("/abcde", [&](uint64_t) { ++found; });
  EXPECT_EQ(found, 2);
  EXPECT_EQ(highest(tree, "/abx"), 3U);
  EXPECT_EQ(highest(tree, "/abc"), 2U);
  EXPECT_EQ(highest(tree, "/a"), 0U);
  tree.add_prefix("", 4);
  EXPECT_EQ(highest(tree, "/a"), 4U);
}

TEST(PathTree, AWalkNeverStandsAtMoreNodesThanThePathHasOctetsHoweverManyPatternsThereAre) {
  PathTree<uint64_t> tree;
  for (uint64_t i = 0; i < 100'000; ++i) {
    tree.add_prefix("/p/" + std::to_string(i * 7919 % 1'000'003) + "/", i + 1);
    tree.add_glob("/g/" + std::to_string(i) + "/", 0, "/g/" + std::to_string(i) + "/*/x", i + 1);
  }
  for (const std::string text : {"/p/791900/some/deep/path", "/g/77/a/x", "/nothing/like/it", "/"}) {
    EXPECT_LE(tree.visit(text, [](uint64_t) {}), text.size() + 2) << text;
  }
  EXPECT_EQ(highest(tree, "/p/7919/a"), 2U);
  EXPECT_EQ(highest(tree, "/g/77/a/x"), 78U);
  EXPECT_EQ(highest(tree, "/g/77/a/y"), 0U);
}

TEST(PathTree, TriesOnlyTheGlobsThatAreWanted) {
  PathTree<uint64_t> tree;
  tree.add_glob("/a/", 0, "/a/*/x", 1);
  tree.add_glob("/a/", 0, "/a/*", 2);
  uint64_t found = 0;
  const auto steps = tree.visit("/a/b/x", [&](uint64_t v) { found = v; }, [](uint64_t v) { return v < 2; });
  EXPECT_EQ(found, 1U);
  EXPECT_EQ(steps, 3U); // the root, the node, one glob
}

} // namespace
} // namespace verge
