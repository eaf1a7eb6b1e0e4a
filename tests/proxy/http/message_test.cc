#include "proxy/http/message.h"

#include <gtest/gtest.h>

namespace verge::http {
namespace {

RequestHead large() {
  RequestHead head;
  head.method = "PROPFIND";
  head.scheme = "https";
  head.authority = "a-name-that-is-long.example.com:8443";
  head.path = "/a/path/that/does/not/fit/into/the/string/itself";
  head.query = "and=neither&does=the&query=of&this=request";
  head.has_query = true;
  head.version = Version::http2;
  head.headers.add("cookie", "a=1; b=2");
  head.headers.add("accept", "text/html");
  head.content_length = 7;
  head.has_body = head.expect_continue = true;
  return head;
}

TEST(SpareHead, IsEmptyWhateverTheOneBeforeItHeld) {
  give_back(std::make_unique<RequestHead>(large()));
  const auto head = spare_head();
  EXPECT_EQ(head->method + head->scheme + head->authority + head->path + head->query, "");
  EXPECT_TRUE(head->headers.empty());
  EXPECT_FALSE(head->headers.has("cookie"));
  EXPECT_FALSE(head->content_length || head->has_query || head->has_body || head->expect_continue);
  EXPECT_EQ(head->version, Version::http11);
}

TEST(SpareHead, IsACopyOfTheOneItShallBeLike) {
  give_back(std::make_unique<RequestHead>(large()));
  RequestHead original = large();
  const auto head = spare_head(original);
  original = RequestHead(); // a copy, and no view
  const RequestHead expected = large();
  EXPECT_EQ(head->method, expected.method);
  EXPECT_EQ(head->scheme, expected.scheme);
  EXPECT_EQ(head->authority, expected.authority);
  EXPECT_EQ(head->target(), expected.target());
  EXPECT_EQ(head->version, expected.version);
  EXPECT_EQ(head->headers.size(), 2u);
  EXPECT_EQ(head->headers.get("cookie"), "a=1; b=2");
  EXPECT_EQ(head->content_length, expected.content_length);
  EXPECT_TRUE(head->has_body && head->expect_continue);
}

} // namespace
} // namespace verge::http
