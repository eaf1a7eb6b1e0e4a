#include "origin/aws/s3_request.h"

#include <gtest/gtest.h>

namespace verge::origin::aws {
namespace {

config::Origin bucket(std::string name, std::string region = "eu-west-1") {
  config::Origin options;
  options.type = config::OriginType::s3;
  options.bucket = std::move(name);
  options.region = std::move(region);
  return options;
}

std::string url_of(const config::Origin& options) {
  const auto at = s3_location(options);
  if (!at) return at.error().what;
  return (at->endpoint.tls ? "https://" : "http://") + at->endpoint.authority() + at->path_prefix;
}

TEST(S3Location, IsTheBucketsOwnHostInItsRegion) {
  EXPECT_EQ(url_of(bucket("site")), "https://site.s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(url_of(bucket("site", "cn-north-1")), "https://site.s3.cn-north-1.amazonaws.com.cn");
}

TEST(S3Location, HasTheBucketInThePathWhenACertificateCouldNotCoverItsHostOrAnEndpointIsGiven) {
  EXPECT_EQ(url_of(bucket("www.example.com")), "https://s3.eu-west-1.amazonaws.com/www.example.com");
  auto options = bucket("site");
  options.path_style = true;
  EXPECT_EQ(url_of(options), "https://s3.eu-west-1.amazonaws.com/site");
  options = bucket("site");
  options.endpoint = "http://127.0.0.1:4568";
  EXPECT_EQ(url_of(options), "http://127.0.0.1:4568/site");
  options.endpoint = "http://127.0.0.1:4568/s3/";
  EXPECT_EQ(url_of(options), "http://127.0.0.1:4568/s3/site");
}

TEST(S3Location, NamesTheFieldThatIsWrong) {
  EXPECT_TRUE(url_of(bucket("")).starts_with("bucket: "));
  EXPECT_TRUE(url_of(bucket("a/../b")).starts_with("bucket: "));
  EXPECT_TRUE(url_of(bucket("..")).starts_with("bucket: "));
  EXPECT_TRUE(url_of(bucket("site", "")).starts_with("region: "));
  auto options = bucket("site");
  options.endpoint = "ftp://x";
  EXPECT_TRUE(url_of(options).starts_with("endpoint: "));
}

TEST(S3Key, IsTheDecodedPathBehindThePrefix) {
  EXPECT_EQ(s3_key("/a/b.js", "", "index.html"), "a/b.js");
  EXPECT_EQ(s3_key("/a%20b/%C3%BC+c", "", "index.html"), "a b/\xc3\xbc+c");
  EXPECT_EQ(s3_key("/app.js", "v1/", "index.html"), "v1/app.js");
  EXPECT_EQ(s3_key("/a//b", "", "index.html"), "a//b");
  EXPECT_EQ(s3_key("/100%", "", "index.html"), "100%");
}

TEST(S3Key, OfAFolderIsItsIndexDocument) {
  EXPECT_EQ(s3_key("/", "", "index.html"), "index.html");
  EXPECT_EQ(s3_key("/docs/", "v1/", "index.html"), "v1/docs/index.html");
}

TEST(S3Key, OfAFolderWithoutIndexIsNoneSoThatABucketIsNeverListed) {
  EXPECT_EQ(s3_key("/", "", ""), std::nullopt);
  EXPECT_EQ(s3_key("/docs/", "", ""), std::nullopt);
  EXPECT_EQ(s3_key("/", "v1/", ""), std::nullopt);
  EXPECT_EQ(s3_key("/docs%2F", "", ""), std::nullopt);
}

TEST(S3Key, CanNotLeaveThePrefixOrHoldWhatNoKeyHas) {
  for (const std::string_view path :
       {"/../x", "/a/%2e%2e/x", "/a/..", "/.", "/a/./b", "/..%2Fx", "/a%2Fb", "/a%2fb", "/a%00b"}) {
    EXPECT_EQ(s3_key(path, "public/", "index.html"), std::nullopt) << path;
  }
  EXPECT_EQ(s3_key("/..a/b..", "", ""), "..a/b..");
  EXPECT_EQ(s3_key("/" + std::string(1025, 'a'), "", ""), std::nullopt);
  EXPECT_TRUE(s3_key("/" + std::string(1024, 'a'), "", ""));
}

class S3Request : public testing::Test {
 protected:
  http::RequestHead ask(std::string_view key = "a") { return s3_request(client_, *s3_location(bucket("site")), key); }
  S3Request() {
    client_.method = "GET";
    client_.authority = "www.example.com";
    client_.path = "/a";
  }
  http::RequestHead client_;
};

TEST_F(S3Request, EncodesEveryOctetOfTheKeyThatIsNotUnreserved) {
  EXPECT_EQ(ask("a b/\xc3\xbc+*'()!~%2F?#").path, "/a%20b/%C3%BC%2B%2A%27%28%29%21~%252F%3F%23");
  EXPECT_EQ(ask().authority, "site.s3.eu-west-1.amazonaws.com");
}

TEST_F(S3Request, CarriesConditionsAndARangeAndNothingElseOfTheClients) {
  client_.query = "versionId=1&acl";
  client_.has_query = true;
  for (const auto name : {"range", "if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "cookie",
                          "authorization", "accept-encoding", "x-amz-request-payer", "origin", "x-forwarded-for"}) {
    client_.headers.add(name, name == std::string_view("range") ? "bytes=0-9" : "v");
  }
  const auto sent = ask();
  EXPECT_FALSE(sent.has_query);
  EXPECT_EQ(sent.target(), "/a");
  EXPECT_EQ(sent.headers.size(), 5u);
  EXPECT_EQ(sent.headers.get("range"), "bytes=0-9");
  EXPECT_EQ(sent.headers.get("if-none-match"), "v");
  EXPECT_FALSE(sent.headers.has("authorization"));
}

TEST_F(S3Request, DropsTheRangeWhenIfRangeIsThereBecauseS3WouldIgnoreIt) {
  client_.headers.add("range", "bytes=0-9");
  client_.headers.add("if-range", "\"e\"");
  EXPECT_EQ(ask().headers.size(), 0u);
}

TEST_F(S3Request, DropsARangeThatS3CanNotAnswerAsAsked) {
  for (const std::string_view range : {"bytes=0-1,4-5", "lines=1-2", "bytes"}) {
    client_.headers.set("range", range);
    EXPECT_FALSE(ask().headers.has("range")) << range;
  }
  client_.headers.set("range", "bytes=0-1");
  client_.headers.add("range", "bytes=4-5");
  EXPECT_FALSE(ask().headers.has("range"));
}

} // namespace
} // namespace verge::origin::aws
