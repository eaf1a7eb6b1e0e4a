#include "proxy/base/path_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
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

TEST(PathTree, WhatIsTakenOutIsGoneAndItsNeighboursStay) {
  PathTree<uint64_t> tree;
  tree.add_prefix("/ab", 1);
  tree.add_prefix("/abcd", 2);
  tree.add_prefix("/abce", 3);
  tree.add_glob("/abc", 0, "/abc*x", 4);
  tree.add_glob("/abc", 0, "/abc*y", 5);
  tree.remove_prefix("/abc"); // not there
  tree.remove_prefix("/zzz");
  tree.remove_prefix("/abcde");
  EXPECT_EQ(highest(tree, "/abcd"), 2U);
  tree.remove_prefix("/abcd");
  EXPECT_EQ(highest(tree, "/abcd"), 1U);
  EXPECT_EQ(highest(tree, "/abce"), 3U);
  tree.remove_glob("/abc", 4);
  EXPECT_EQ(highest(tree, "/abcx"), 1U);
  EXPECT_EQ(highest(tree, "/abcy"), 5U);
  tree.remove_glob("/abc", 5);
  tree.remove_prefix("/ab");
  EXPECT_EQ(highest(tree, "/abcy"), 0U);
  EXPECT_EQ(highest(tree, "/abce"), 3U);
  tree.remove_prefix("/abce");
  EXPECT_EQ(tree.visit("/abce", [](uint64_t) {}), 1U) << "the root alone is left";
}

TEST(PathTree, AddingAndTakingOutAtRandomLeavesJustWhatIsThere) {
  PathTree<uint64_t> tree;
  std::map<std::string, uint64_t> kept;
  uint64_t dice = 12'345;
  for (uint64_t i = 1; i < 20'000; ++i) {
    dice = dice * 6'364'136'223'846'793'005ULL + 1'442'695'040'888'963'407ULL;
    std::string prefix;
    for (uint64_t rest = dice >> 33, n = 1 + rest % 6; n > 0; --n, rest /= 3)
      prefix += static_cast<char>('a' + rest % 3);
    if (i % 2 == 0) {
      tree.add_prefix(prefix, i);
      kept[prefix] = i;
    } else {
      tree.remove_prefix(prefix);
      kept.erase(prefix);
    }
    if (i % 97 != 0) continue;
    uint64_t expected = 0, found = 0;
    for (size_t n = 1; n <= prefix.size(); ++n) {
      if (const auto it = kept.find(prefix.substr(0, n)); it != kept.end()) expected += it->second;
    }
    tree.visit(prefix, [&](uint64_t v) { found += v; });
    ASSERT_EQ(found, expected) << prefix;
  }
}

} // namespace
} // namespace verge
