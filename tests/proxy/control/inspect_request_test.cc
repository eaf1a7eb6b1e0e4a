#include "proxy/control/inspect_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace verge::control {
namespace {

using testing::HasSubstr;

TEST(ParseWhy, TakesAWholeUrlApartAsAClientWouldSendIt) {
  const auto head = parse_why(R"({"url": "HTTPS://WWW.Example.com:8443/a/b?x=1#top", "headers": [["Accept", "*/*"]]})");
  ASSERT_TRUE(head) << head.error().what;
  EXPECT_EQ(head->scheme, "https");
  EXPECT_EQ(head->authority, "www.example.com:8443");
  EXPECT_EQ(head->path, "/a/b");
  EXPECT_EQ(head->query, "x=1");
  EXPECT_EQ(head->method, "GET");
  EXPECT_EQ(head->headers.get("accept"), "*/*");
}

TEST(ParseWhy, AUrlWithoutPathMeansTheRoot) {
  EXPECT_EQ(parse_why(R"({"url": "http://a"})")->path, "/");
  const auto head = parse_why(R"({"url": "http://a?q"})");
  EXPECT_EQ(head->path, "/");
  EXPECT_TRUE(head->has_query);
}

TEST(ParseWhy, SaysWhatIsWrong) {
  const auto error = [](std::string_view text) { return parse_why(text).error().what; };
  EXPECT_THAT(error("[]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(error(R"({"uri": "http://a/"})"), HasSubstr("unknown member \"uri\""));
  EXPECT_THAT(error(R"({"url": "/a"})"), HasSubstr("is not a whole URL"));
  EXPECT_THAT(error(R"({"url": "ftp://a/"})"), HasSubstr("is not a whole URL"));
  EXPECT_THAT(error(R"({"url": "http://a b/"})"), HasSubstr("is not a host"));
  EXPECT_THAT(error(R"({"url": "http://a/\u0001"})"), HasSubstr("encode it"));
  EXPECT_THAT(error(R"({"url": "http://a/", "method": "G T"})"), HasSubstr("is not a method"));
  EXPECT_THAT(error(R"({"url": "http://a/", "headers": ["x"]})"), HasSubstr("list of [name, value]"));
  EXPECT_THAT(error(R"({"url": "http://a/", "headers": [["x", "a\r\nb: c"]]})"), HasSubstr("is not a header field"));
  EXPECT_THAT(error(R"({"url": "http://a/", "headers": [["host", "b"]]})"), HasSubstr("stands in the URL"));
}

TEST(ParseList, HasDefaultsAndLimits) {
  const auto all = parse_list("");
  ASSERT_TRUE(all);
  EXPECT_FALSE(all->pattern);
  EXPECT_EQ(all->limit, 1'000u);
  const auto some = parse_list(R"({"pattern": "/img/*", "tag": "Home", "after": 7, "limit": 5})");
  ASSERT_TRUE(some);
  EXPECT_EQ(some->pattern->kind, cache::Target::Kind::pattern);
  EXPECT_EQ(some->tag->value, "home");
  EXPECT_EQ(some->after, 7u);
  EXPECT_THAT(parse_list(R"({"limit": 0})").error().what, HasSubstr("from 1 to 10000"));
  EXPECT_THAT(parse_list(R"({"limit": -1})").error().what, HasSubstr("whole number"));
  EXPECT_THAT(parse_list(R"({"pattern": "ftp://x"})").error().what, HasSubstr("pattern \"ftp://x\""));
}

TEST(ParseEntry, WantsAKey) {
  EXPECT_EQ(parse_entry(R"({"key": "http://a/b\nslice=3"})").value_or(""), "http://a/b\nslice=3");
  EXPECT_THAT(parse_entry(R"({"key": "/b"})").error().what, HasSubstr("must be a key"));
  EXPECT_THAT(parse_entry("{}").error().what, HasSubstr("must be a key"));
}

} // namespace
} // namespace verge::control
