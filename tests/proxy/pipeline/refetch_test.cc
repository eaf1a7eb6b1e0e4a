#include "proxy/pipeline/refetch.h"

#include <gtest/gtest.h>

#include "cache/policy/key_rules.h"
#include "cache/policy/vary.h"

namespace verge::pipeline {
namespace {

cache::StoredHead stored(std::string key) {
  cache::StoredHead head;
  head.key = std::move(key);
  return head;
}

TEST(RequestAgain, AsksForTheUrlOfTheKey) {
  const auto made = request_again(stored("https://www.example.com:8443/a/b?x=1?y"));
  ASSERT_TRUE(made);
  EXPECT_EQ(made->method, "GET");
  EXPECT_EQ(made->scheme, "https");
  EXPECT_EQ(made->authority, "www.example.com:8443");
  EXPECT_EQ(made->target(), "/a/b?x=1?y");
  EXPECT_EQ(policy::key_of({}, *made), "https://www.example.com:8443/a/b?x=1?y");
  EXPECT_EQ(request_again(stored("http://h/?"))->target(), "/?");
  EXPECT_FALSE(request_again(stored("http://h/"))->has_query);
}

TEST(RequestAgain, AsksForItsOwnUrlWhereItIsFiledForSeveral) {
  auto head = stored("https://h/a\nsearch=x");
  head.url = "https://h/a?b=1";
  EXPECT_EQ(request_again(head)->target(), "/a?b=1");
}

TEST(RequestAgain, HasTheFieldsAndCookiesOfTheKey) {
  const auto made = request_again(stored("https://h/a\nheader:x-plan=pro\ncookie:lang=de\ncookie:t=a=b"));
  ASSERT_TRUE(made);
  EXPECT_EQ(made->headers.joined("x-plan"), "pro");
  EXPECT_EQ(made->headers.joined("cookie"), "lang=de; t=a=b");
}

TEST(RequestAgain, SelectsTheVariant) {
  http::Headers asked;
  asked.add("accept-encoding", "br;q=1, gzip");
  asked.add("accept-language", "de, en;q=0.5");
  asked.add("x-empty", "");
  auto head = stored("https://h/a");
  head.vary_fields = {"accept-encoding", "accept-language", "x-absent", "x-empty"};
  head.vary_values = policy::vary_key(head.vary_fields, asked);
  const auto made = request_again(head);
  ASSERT_TRUE(made);
  EXPECT_EQ(policy::vary_key(head.vary_fields, made->headers), head.vary_values);
  EXPECT_FALSE(made->headers.has("x-absent"));
  EXPECT_TRUE(made->headers.has("x-empty"));
}

TEST(RequestAgain, LeavesWhatCannotBeMadeAgain) {
  EXPECT_FALSE(request_again(stored("https://h/a\nbody=1234"))) << "its body is not known any more";
  EXPECT_FALSE(request_again(stored("no url")));
  EXPECT_FALSE(request_again(stored("https:///a")));
  auto part = stored("https://h/a");
  part.status = 206;
  EXPECT_FALSE(request_again(part));
  auto personal = stored("https://h/a");
  personal.request_had_authorization = true;
  EXPECT_FALSE(request_again(personal));
}

} // namespace
} // namespace verge::pipeline
