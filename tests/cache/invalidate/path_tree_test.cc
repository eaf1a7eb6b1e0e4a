#include "cache/invalidate/path_tree.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>

namespace verge::cache {
namespace {

uint64_t newest(const PathTree& tree, std::string_view text) {
  uint64_t hard = 0;
  tree.visit(text, [&](const EpochPair& p) { hard = std::max(hard, p.hard); });
  return hard;
}

TEST(PathTree, FindsEveryPrefixOfThePathWhateverTheOrderTheyCameIn) {
  PathTree tree;
  const EpochPair abcd{1, 0}, ab{2, 0}, abx{3, 0}, root{4, 0};
  tree.add_prefix("/abcd", &abcd);
  tree.add_prefix("/ab", &ab); // parts the label of the first
  tree.add_prefix("/abx", &abx);
  int found = 0;
  tree.visit("/abcde", [&](const EpochPair&) { ++found; });
  EXPECT_EQ(found, 2);
  EXPECT_EQ(newest(tree, "/abx"), 3U);
  EXPECT_EQ(newest(tree, "/abc"), 2U);
  EXPECT_EQ(newest(tree, "/a"), 0U);
  tree.add_prefix("", &root);
  EXPECT_EQ(newest(tree, "/a"), 4U);
}

TEST(PathTree, AWalkNeverStandsAtMoreNodesThanThePathHasOctetsHoweverManyPatternsThereAre) {
  PathTree tree;
  std::deque<EpochPair> pairs;
  for (uint64_t i = 0; i < 100'000; ++i) {
    pairs.push_back({i + 1, 0});
    tree.add_prefix("/p/" + std::to_string(i * 7919 % 1'000'003) + "/", &pairs.back());
    tree.add_glob("/g/" + std::to_string(i) + "/", 0, "/g/" + std::to_string(i) + "/*/x", &pairs.back());
  }
  for (const std::string text : {"/p/791900/some/deep/path", "/g/77/a/x", "/nothing/like/it", "/"}) {
    EXPECT_LE(tree.visit(text, [](const EpochPair&) {}), text.size() + 2) << text;
  }
  EXPECT_EQ(newest(tree, "/p/7919/a"), 2U);
  EXPECT_EQ(newest(tree, "/g/77/a/x"), 78U);
  EXPECT_EQ(newest(tree, "/g/77/a/y"), 0U);
}

} // namespace
} // namespace verge::cache
