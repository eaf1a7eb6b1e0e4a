#include "cache/policy/reflection.h"

#include <gtest/gtest.h>

#include "cache/policy/unescaped.h"
#include "cache/policy/usual_values.h"

namespace verge::policy {
namespace {

constexpr std::string_view kKey = "https://www.example.com/list?page=2&id=0a1b2c3d-77";

std::vector<Unkeyed> values(std::string_view name, std::string_view value, const std::vector<std::string>& in_key = {},
                            const std::vector<std::string>& vary = {}) {
  http::Headers h;
  h.add(name, value);
  return unkeyed_values(h, in_key, vary, kKey);
}

bool finds(std::string_view value, std::string_view body) {
  return ReflectionSearch(values("x-any", value)).in_body(body).has_value();
}

TEST(Reflection, LooksForEveryFieldThatIsNeitherInTheKeyNorInVary) {
  EXPECT_EQ(values("x-any", "evil.example").size(), 1u);
  EXPECT_TRUE(values("x-any", "evil.example", {"x-any"}).empty());
  EXPECT_TRUE(values("x-any", "evil.example", {}, {"x-any"}).empty());
}

TEST(Reflection, FindsAValueAsSentEscapedDecodedAndInAnyCase) {
  EXPECT_TRUE(finds("evil.example/<x>", "a EVIL.example/<x> b"));
  EXPECT_TRUE(finds("evil.example/<x>", "evil.example/&lt;x&gt;"));
  EXPECT_TRUE(finds("evil.example/<x>", "evil.example&#x2F;&#60;x&#62;"));
  EXPECT_TRUE(finds("evil.example/<x>", "evil.example%2f%3Cx%3e"));
  EXPECT_TRUE(finds("evil.example/<x>", "evil.example\\/\\u003cx\\x3e"));
  EXPECT_TRUE(finds("evil%2Eexample%3c", "evil.example<"));
  EXPECT_TRUE(finds("a&amp;b&amp;c", "a&amp;amp;b&amp;amp;c"));
  EXPECT_FALSE(finds("evil.example/<x>", "evil.example/(x)"));
}

// The text is looked at every few octets: where in it a value lies makes no difference, nor how long the others are.
TEST(Reflection, FindsValuesOfAnyLengthAtAnyPlace) {
  for (const size_t length : {5UZ, 6UZ, 7UZ, 8UZ, 9UZ, 11UZ, 12UZ, 40UZ, 127UZ, 128UZ, 200UZ}) {
    std::string value;
    while (value.size() < length) value += static_cast<char>('a' + value.size() * 7 % 26);
    for (const std::string_view other : {"", "Evil5", "a value that is longer than eight"}) {
      auto wanted = values("x-any", value);
      if (!other.empty()) wanted.push_back(values("x-other", other).at(0));
      const ReflectionSearch search(wanted);
      for (size_t before = 0; before < 20; ++before) {
        for (const size_t after : {0UZ, 1UZ, 30UZ}) {
          const std::string text = std::string(before, '.') + value.substr(0, 128) + std::string(after, '.');
          EXPECT_EQ(search.in_body(text), "x-any") << length << " at " << before;
          EXPECT_FALSE(search.in_body(std::string_view(text).substr(0, before + std::min(length, 128UZ) - 1)));
          EXPECT_FALSE(search.in_body(std::string(before, '.') + value.substr(1, 127) + std::string(after, '.')));
        }
      }
    }
  }
}

TEST(Reflection, FindsWhatAnEscapeAnywhereHides) {
  for (size_t before = 0; before < 40; ++before) {
    const std::string text = std::string(before, 'X') + "Evil&#46;EXAMPLE" + std::string(40 - before, '+');
    EXPECT_TRUE(finds("evil.example", text)) << before;
    EXPECT_FALSE(finds("evil_example", text)) << before;
  }
}

TEST(Reflection, ShortValuesTellNothing) {
  EXPECT_TRUE(values("x-any", "evil").empty());
  EXPECT_TRUE(values("cookie", "theme=light; a=b; n=12345").empty());
  EXPECT_EQ(values("cookie", "user=mallory; theme=dark").at(0).name, "cookie user");
}

TEST(Reflection, AWordOfTheUrlIsExcusedButNothingThatCouldLeadElsewhere) {
  EXPECT_TRUE(values("x-any", "0a1b2c3d-77").empty());
  EXPECT_TRUE(values("x-any", "www.example.com").empty());
  http::Headers h;
  h.add("x-any", "evil.example");
  EXPECT_EQ(unkeyed_values(h, {}, {}, "https://h/?evil.example").size(), 1u);
}

TEST(Reflection, AParameterThatTheOriginGotAndTheKeyLacksIsLookedFor) {
  EXPECT_TRUE(
      unkeyed_parameters("a=evil.example&b=other.example", "https://h/?b=other.example&a=evil.example").empty());
  const auto found = unkeyed_parameters("a=evil.example&b=2", "https://h/?b=2");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].name, "parameter a");
  EXPECT_EQ(found[0].value, "evil.example");
}

TEST(Reflection, AReferrerFromTheSameSiteIsALinkUnlessItHoldsMarkup) {
  EXPECT_TRUE(values("referer", "https://www.example.com/a?b=c").empty());
  EXPECT_EQ(values("referer", "https://www.example.com/a?b=<script>").size(), 1u);
  const ReflectionSearch search(values("referer", "https://search.example/"));
  EXPECT_FALSE(search.in_body("<script src='https://search.example/api.js'>"));
  EXPECT_TRUE(search.in_body("<a href='https://search.example/'>back"));
}

TEST(Reflection, AnOriginOfTheSameSiteCountsInTheHeadOnly) {
  const ReflectionSearch search(values("origin", "https://www.example.com"));
  // The whole value stands in the key: it is excused.
  EXPECT_TRUE(search.empty());
  http::Headers answer;
  answer.add("access-control-allow-origin", "https://app.example");
  EXPECT_EQ(ReflectionSearch(values("origin", "https://app.example")).in_head(answer), "origin");
}

TEST(Reflection, WhatEverybodySendsIsUsual) {
  EXPECT_TRUE(is_usual("accept", "text/html"));
  EXPECT_FALSE(is_usual("accept", "evil/<script>"));
  EXPECT_TRUE(is_usual("accept-encoding", "gzip, deflate, br;q=0.5"));
  EXPECT_FALSE(is_usual("accept-encoding", "gzip, evil.example"));
  EXPECT_TRUE(is_usual("accept-language", "de-DE,de;q=0.9"));
  EXPECT_FALSE(is_usual("accept-language", "de\"><script>"));
  EXPECT_TRUE(is_usual("cache-control", "max-age=0"));
  EXPECT_FALSE(is_usual("cache-control", "evil.example"));
  EXPECT_TRUE(is_usual("sec-fetch-site", "same-origin"));
  EXPECT_FALSE(is_usual("sec-fetch-site", "evil.example"));
}

TEST(Reflection, OnlyTextIsReadable) {
  http::Headers h;
  EXPECT_TRUE(is_readable(h));
  h.add("content-type", "image/png");
  EXPECT_FALSE(is_readable(h));
  h.set("content-type", "image/svg+xml");
  EXPECT_TRUE(is_readable(h));
  h.add("content-encoding", "gzip");
  EXPECT_FALSE(is_readable(h));
}

TEST(Reflection, MoreThanCanBeLookedForCountsAsFound) {
  std::vector<Unkeyed> many(300);
  for (size_t i = 0; i < many.size(); ++i) many[i].name = many[i].value = "value-" + std::to_string(i);
  EXPECT_TRUE(ReflectionSearch(many).in_body("nothing"));
}

TEST(Reflection, ATextMadeToMatchAlmostEverywhereEndsInTime) {
  std::vector<Unkeyed> many(200);
  for (size_t i = 0; i < many.size(); ++i)
    many[i].name = "x", many[i].value = std::string(100, 'a') + std::to_string(i);
  EXPECT_TRUE(ReflectionSearch(many).in_body(std::string(65'520, 'a')));
}

TEST(Unescaped, UndoesOneLevelInLowerCase) {
  EXPECT_EQ(unescaped("A+B%2Bc&amp;lt;&LT;&#x41;&#66\\u0043\\x44\\/"), "a b+c&lt;<abcd/");
  EXPECT_EQ(unescaped(std::string(30, 'Q') + "&" + std::string(17, 'R')),
            std::string(30, 'q') + "&" + std::string(17, 'r'));
}

TEST(Unescaped, LeavesWhatIsNoEscape) {
  for (const std::string_view text : {"", "&", "%", "\\", "100%", "%4", "%zz", "a & b", "&nope;", "&#;", "&#0;",
                                      "&#x110000;", "\\u12", "\\u00e4", "\\xz1", "\\n"}) {
    EXPECT_EQ(unescaped(text), text);
  }
}

TEST(Unescaped, HasEscapesWhereAnyMayBegin) {
  EXPECT_FALSE(has_escapes(""));
  EXPECT_FALSE(has_escapes("nothing of the kind, in more than sixteen octets"));
  for (const char c : std::string_view("&%\\+")) {
    for (size_t at = 0; at < 40; ++at) {
      std::string text(40, '.');
      text[at] = c;
      EXPECT_TRUE(has_escapes(text)) << c << at;
    }
  }
}

} // namespace
} // namespace verge::policy
