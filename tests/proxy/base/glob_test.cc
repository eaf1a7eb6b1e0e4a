#include "proxy/base/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace verge {
namespace {

TEST(Glob, AStarIsAnyRunOfCharacters) {
  EXPECT_TRUE(glob_match("/img/*", "/img/"));
  EXPECT_TRUE(glob_match("/img/*", "/img/a/b.png"));
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("*.js", "/app/a.js"));
  EXPECT_TRUE(glob_match("/a/*/c", "/a/b/b/c"));
  EXPECT_TRUE(glob_match("/a*b*c", "/aXbYbZc"));
  EXPECT_TRUE(glob_match("/**", "/"));
}

TEST(Glob, AllElseIsItself) {
  EXPECT_TRUE(glob_match("/a?[b]", "/a?[b]"));
  EXPECT_FALSE(glob_match("/a?", "/ab"));
  EXPECT_FALSE(glob_match("/img/*", "/img"));
  EXPECT_FALSE(glob_match("*.js", "/a.jsx"));
  EXPECT_FALSE(glob_match("/A", "/a"));
  EXPECT_FALSE(glob_match("", "/"));
  EXPECT_FALSE(glob_match("/a*b", "/aXbc"));
}

TEST(Glob, ManyStarsDoNotTakeExponentialTime) {
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "*a";
  EXPECT_FALSE(glob_match(pattern + "b", std::string(5000, 'a')));
}

} // namespace
} // namespace verge
