#include "proxy/control/tools/ban_pattern.h"

#include <gmock/gmock.h>

namespace verge::control {
namespace {

using testing::ElementsAre;

std::vector<std::string> tags(std::string_view text) {
  std::vector<std::string> out;
  const auto read = ban_tags(text).value();
  for (const auto& target : read.tags) out.push_back(target.value);
  return out;
}

TEST(BanPattern, AnchorsSayWhereAPathBeginsAndEnds) {
  EXPECT_THAT(ban_patterns("^/img/").value(), ElementsAre("/img/*"));
  EXPECT_THAT(ban_patterns("^/a$").value(), ElementsAre("/a"));
  EXPECT_THAT(ban_patterns("/b$").value(), ElementsAre("/b", "/*/b"));
  EXPECT_THAT(ban_patterns("/news").value(), ElementsAre("/news*", "/*/news*"));
  EXPECT_THAT(ban_patterns("\\.png$").value(), ElementsAre("/*.png"));
}

TEST(BanPattern, AnyCharacterIsWidened) {
  EXPECT_THAT(ban_patterns("^/img/.*\\.png$").value(), ElementsAre("/img/*.png"));
  EXPECT_THAT(ban_patterns("^/a.b$").value(), ElementsAre("/a*b"));
  EXPECT_THAT(ban_patterns(".*").value(), ElementsAre("*"));
  EXPECT_THAT(ban_patterns("^/a\\?b=.+$").value(), ElementsAre("/a?b=*"));
}

TEST(BanPattern, WhatItDoesNotKnowIsRefused) {
  for (const char* text : {"^/(a|b)$", "/a[0-9]", "/a+", "/a?", "/\\d", "a\\", "^img", "/a{2}", "a^b", "a$b"}) {
    EXPECT_FALSE(ban_patterns(text)) << text;
  }
}

TEST(BanHost, IsANameOrEveryHost) {
  EXPECT_EQ(ban_host("www.example.com").value(), "www.example.com");
  EXPECT_EQ(ban_host("^www\\.example\\.com$").value(), "www.example.com");
  EXPECT_EQ(ban_host(".*").value(), "");
  EXPECT_FALSE(ban_host("^(www\\.)?example\\.com$"));
  EXPECT_FALSE(ban_host("a/b"));
}

TEST(BanTags, AreReadAsToolsWriteThem) {
  EXPECT_THAT(tags("a|B"), ElementsAre("a", "b"));
  EXPECT_THAT(tags("a, b c"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(tags("(one|two)(,.+)?$"), ElementsAre("one", "two"));
  EXPECT_THAT(tags("((^|,)cat_p_1(,|$))|((^|,)cat_p(,|$))"), ElementsAre("cat_p_1", "cat_p"));
  EXPECT_TRUE(ban_tags(".*")->all);
  EXPECT_FALSE(ban_tags("a.*b"));
  EXPECT_FALSE(ban_tags("()"));
}

} // namespace
} // namespace verge::control
