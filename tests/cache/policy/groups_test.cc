// RFC 9875, sentence by sentence.
#include "cache/policy/groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/policy/key.h"
#include "cache/policy/storing.h"
#include "tests/cache/policy/values.h"

namespace verge::policy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view kOrigin = "https://h";

std::vector<std::string> groups(std::string_view value) {
  return response_groups(headers_of({{"cache-groups", value}}), kOrigin);
}

TEST(CacheGroups, AreAListOfStrings) {
  EXPECT_THAT(groups("\"eurovision-results\", \"live\""),
              ElementsAre("https://h eurovision-results", "https://h live"));
}

TEST(CacheGroups, AllLinesAreOneList) {
  EXPECT_THAT(response_groups(headers_of({{"cache-groups", "\"a\""}, {"cache-groups", "\"b\""}}), kOrigin),
              ElementsAre("https://h a", "https://h b"));
}

TEST(CacheGroups, AFieldThatIsNoListOfStringsIsIgnored) {
  for (const std::string_view value : {"a", "\"a\", b", "\"a\" \"b\"", "\"a\",", "\"a", "1", "(\"a\" \"b\")",
                                       "\"a\", ?1", "\"caf\xc3\xa9\"", "\"a\",,\"b\""}) {
    EXPECT_THAT(groups(value), IsEmpty()) << value;
  }
  EXPECT_THAT(groups(""), IsEmpty());
}

TEST(CacheGroups, UnknownParametersAreIgnored) { EXPECT_THAT(groups("\"a\";x=1;y"), ElementsAre("https://h a")); }

TEST(CacheGroups, AreComparedCharacterByCharacter) { EXPECT_THAT(groups("\"A\", \"a\""), SizeIs(2)); }

TEST(CacheGroups, OfDoublesOneCounts) { EXPECT_THAT(groups("\"a\", \"a\""), SizeIs(1)); }

TEST(CacheGroups, ThirtyTwoOfThirtyTwoCharactersAreSupported) {
  std::string value;
  for (int i = 0; i < 32; ++i) {
    value += (i > 0 ? ", \"" : "\"") + std::string(30, 'g') + std::to_string(10 + i) + "\"";
  }
  EXPECT_THAT(groups(value), SizeIs(32));
}

TEST(CacheGroups, BeyondOurLimitsAreLeftOut) {
  std::string value = "\"" + std::string(kMaxGroupOctets + 1, 'x') + "\"";
  EXPECT_THAT(groups(value), IsEmpty());
  for (size_t i = 0; i < 2 * kMaxGroups; ++i) value += ", \"" + std::to_string(i) + "\"";
  EXPECT_THAT(groups(value), SizeIs(kMaxGroups));
}

TEST(CacheGroups, BelongToOneOrigin) {
  EXPECT_EQ(origin_of_key("https://www.example.com/a?b"), "https://www.example.com");
  EXPECT_EQ(origin_of_key("http://www.example.com:8080/"), "http://www.example.com:8080");
  EXPECT_EQ(origin_of_key("https://[::1]:8443/a://b"), "https://[::1]:8443");
  EXPECT_EQ(origin_of_key("https://h?q"), "https://h");
  EXPECT_EQ(origin_of_key("https://h\nheader:x=/"), "https://h");
  // A default port is left out by the key, so both spellings are one origin.
  EXPECT_EQ(origin_of_key(key_text("https", "H:443", "/", false, "")), kOrigin);
}

TEST(CacheGroups, AreNeverTakenForTags) {
  for (const auto& group : groups("\"a\", \"\", \"home\"")) EXPECT_TRUE(is_group(group));
  // Whatever a tag header holds, no tag has a space.
  const auto tags = response_tags(
      headers_of(
          {{"surrogate-key", "https://h a"}, {"cache-tag", "https://h a, b"}, {"x-amz-meta-cache-tag", "https://h a"}}),
      {});
  for (const auto& tag : tags) EXPECT_FALSE(is_group(tag)) << tag;
}

TEST(CacheGroupInvalidation, NamesGroupsOfTheOriginItComesFrom) {
  const auto headers = headers_of({{"cache-group-invalidation", "\"a\", \"b\""}, {"cache-groups", "\"c\""}});
  EXPECT_THAT(invalidated_groups(headers, kOrigin), ElementsAre("https://h a", "https://h b"));
  EXPECT_THAT(invalidated_groups(headers, "http://h"), ElementsAre("http://h a", "http://h b"));
}

TEST(CacheGroupInvalidation, ThatIsNoListOfStringsIsIgnored) {
  EXPECT_THAT(invalidated_groups(headers_of({{"cache-group-invalidation", "*"}}), kOrigin), IsEmpty());
}

} // namespace
} // namespace verge::policy
