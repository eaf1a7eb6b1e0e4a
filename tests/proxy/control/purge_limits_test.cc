#include "proxy/control/purge_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace verge::control {
namespace {

using testing::HasSubstr;

// The limit that refuses the target, or "" where it may be named.
std::string refused(const config::PurgeAllow& allow, const cache::Target& target, bool soft = false) {
  const auto limits = PurgeLimits::create(allow).value();
  const auto refusal = limits.refuses({{target}, soft, "", ""});
  return refusal ? std::string(to_string(refusal->limit)) : "";
}
std::string refused(const config::PurgeAllow& allow, const std::string& target) {
  return refused(allow, cache::parse_target(target).value());
}
config::PurgeAllow paths(std::vector<std::string> list) { return {{}, std::move(list), {}, false}; }
config::PurgeAllow tags(std::vector<std::string> list) { return {{}, {}, std::move(list), false}; }
const cache::Target kTag{cache::Target::Kind::tag, "", "blog-7"};

TEST(PurgeLimitsTest, NoLimitsAllowEverything) {
  EXPECT_EQ(refused({}, "/*"), "");
  EXPECT_EQ(refused({}, "https://www.example.com/a?b"), "");
  EXPECT_EQ(refused({}, kTag), "");
}

TEST(PurgeLimitsTest, ALimitOfPathsHoldsForPatternsThatLieWhollyInIt) {
  const auto blog = paths({"/blog/*", "/feed.xml"});
  EXPECT_EQ(refused(blog, "/blog/a"), "");
  EXPECT_EQ(refused(blog, "/blog/a?x=1"), "");
  EXPECT_EQ(refused(blog, "/blog/*"), "");
  EXPECT_EQ(refused(blog, "/blog/*/comments"), "");
  EXPECT_EQ(refused(blog, "https://www.example.com/feed.xml"), "");
  EXPECT_EQ(refused(blog, "/*"), "path");
  EXPECT_EQ(refused(blog, "*"), "path");
  EXPECT_EQ(refused(blog, "/b*"), "path");
  EXPECT_EQ(refused(blog, "/blog*"), "path");
  EXPECT_EQ(refused(blog, "/blo*g/a"), "path");
  EXPECT_EQ(refused(blog, "*/blog/a"), "path");
  EXPECT_EQ(refused(blog, "/feed.xml?x"), "path");
  EXPECT_EQ(refused(blog, "https://www.example.com/*"), "path");
}

TEST(PurgeLimitsTest, PathsAreComparedInNormalForm) {
  EXPECT_EQ(refused(paths({"/a%62c/*"}), "/abc/x"), "");
  EXPECT_EQ(refused(paths({"/blog/*"}), "/blog/../admin"), "path");
}

TEST(PurgeLimitsTest, WhoHasPathsOnlyMayNameNoTagAndTheOtherWayRound) {
  EXPECT_EQ(refused(paths({"/*"}), kTag), "tag");
  EXPECT_EQ(refused(tags({"blog-*"}), kTag), "");
  EXPECT_EQ(refused(tags({"Blog-7"}), kTag), "") << "tags know no case";
  EXPECT_EQ(refused(tags({"shop"}), kTag), "tag");
  EXPECT_EQ(refused(tags({"*"}), "/a"), "path");
  EXPECT_EQ(refused(config::PurgeAllow{{}, {"/a"}, {"blog-7"}, false}, kTag), "");
}

TEST(PurgeLimitsTest, WhoIsLimitedToHostsMustNameOne) {
  const config::PurgeAllow shop{{"Shop.example.com", "*.shop.example"}, {}, {}, false};
  EXPECT_EQ(refused(shop, "https://shop.example.com/*"), "");
  EXPECT_EQ(refused(shop, "https://a.shop.example/x"), "");
  EXPECT_EQ(refused(shop, "https://www.example.com/x"), "host");
  EXPECT_EQ(refused(shop, "/x"), "host");
  EXPECT_EQ(refused(shop, "/*"), "host");
  EXPECT_EQ(refused(shop, kTag), "host");
  EXPECT_EQ(refused(shop, {cache::Target::Kind::tag, "shop.example.com", "t"}), "");
  EXPECT_EQ(PurgeLimits::create(shop)->plain_hosts(), std::vector<std::string>{"shop.example.com"});
}

TEST(PurgeLimitsTest, WhoMayOnlyMarkStaleMayNotDrop) {
  EXPECT_EQ(refused({{}, {}, {}, true}, kTag, false), "soft");
  EXPECT_EQ(refused({{}, {}, {}, true}, kTag, true), "");
}

TEST(PurgeLimitsTest, OneTargetBeyondThemRefusesTheWholeCommandAndIsNamed) {
  const auto limits = PurgeLimits::create(paths({"/blog/*"})).value();
  const auto refusal =
      limits.refuses({{cache::parse_target("/blog/a").value(), cache::parse_target("/shop/*").value()}, false, "", ""});
  ASSERT_TRUE(refusal);
  EXPECT_THAT(refusal->why, HasSubstr("\"/shop/*\" reaches beyond allow.paths [/blog/*]"));
}

TEST(PurgeLimitsTest, APathThatIsNoneIsAFaultOfTheConfiguration) {
  const auto limits = PurgeLimits::create(paths({"/%zz"}));
  ASSERT_FALSE(limits);
  EXPECT_EQ(limits.error().code, Errc::config);
  EXPECT_THAT(limits.error().what, HasSubstr("allow.paths"));
}

} // namespace
} // namespace verge::control
