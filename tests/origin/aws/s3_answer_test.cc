#include "origin/aws/s3_answer.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace verge::origin::aws {
namespace {

using testing::HasSubstr;

http::ResponseHead status(int code) {
  http::ResponseHead head;
  head.status = code;
  head.headers.add("content-type", "application/xml");
  head.headers.add("server", "AmazonS3");
  return head;
}

std::string xml(std::string_view code, std::string_view more = "") {
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>The secret bucket name"
      "</Message>{}<RequestId>R</RequestId></Error>",
      code, more);
}

Result<S3Verdict> verdict(int code, std::string_view body, std::string_view method = "GET") {
  return s3_verdict(status(code), s3_fault(body), method, "site");
}

TEST(S3Head, KeepsTheObjectsFieldsAndNoneOfS3sOwn) {
  http::ResponseHead head;
  head.status = 200;
  head.content_length = 5;
  const std::string_view kept[] = {"etag",    "last-modified",    "cache-control",       "content-type",
                                   "expires", "accept-ranges",    "content-encoding",    "content-disposition",
                                   "date",    "content-language", "x-amz-meta-cache-tag"};
  for (const auto name : kept) head.headers.add(name, "v");
  for (const auto name :
       {"x-amz-id-2", "x-amz-request-id", "x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id",
        "x-amz-version-id", "x-amz-storage-class", "x-amz-expiration", "x-amz-replication-status", "x-amz-meta-owner",
        "server", "x-rgw-object-type", "x-amz-something-new", "set-cookie"}) {
    head.headers.add(name, "v");
  }
  const S3Head out = s3_head(head);
  EXPECT_FALSE(out.redirect);
  EXPECT_EQ(out.head.status, 200);
  EXPECT_EQ(out.head.content_length, 5u);
  EXPECT_EQ(out.head.headers.size(), std::size(kept));
  for (const auto name : kept) EXPECT_TRUE(out.head.headers.has(name)) << name;
}

TEST(S3Head, PassesPartialAndNotModified) {
  for (const int code : {206, 304}) {
    auto head = status(code);
    head.headers.add("content-range", "bytes 0-1/5");
    EXPECT_FALSE(is_s3_fault(code));
    EXPECT_EQ(s3_head(head).head.status, code);
    EXPECT_EQ(s3_head(head).head.headers.get("content-range"), "bytes 0-1/5");
  }
}

TEST(S3Head, TurnsAWebsiteRedirectIntoARedirect) {
  auto head = status(200);
  head.content_length = 7;
  head.headers.add("x-amz-website-redirect-location", "/new/");
  head.headers.add("cache-control", "max-age=60");
  head.headers.add("etag", "\"e\"");
  const S3Head out = s3_head(head);
  EXPECT_TRUE(out.redirect);
  EXPECT_EQ(out.head.status, 301);
  EXPECT_EQ(out.head.headers.get("location"), "/new/");
  EXPECT_EQ(out.head.headers.get("cache-control"), "max-age=60");
  EXPECT_FALSE(out.head.headers.has("etag"));
  EXPECT_EQ(out.head.content_length, 0u);
}

TEST(S3Verdict, NeverShowsTheXmlWhateverTheFault) {
  for (const int code : {301, 307, 400, 403, 404, 405, 409, 412, 416, 429, 500, 503}) {
    EXPECT_TRUE(is_s3_fault(code));
    for (const std::string_view word : {"NoSuchKey", "AccessDenied", "SlowDown", "InternalError", "Odd"}) {
      const auto out = verdict(code, xml(word));
      if (!out) continue;
      EXPECT_THAT(out->body, testing::Not(HasSubstr("Error>")));
      EXPECT_THAT(out->body, testing::Not(HasSubstr("secret")));
      EXPECT_EQ(out->head.headers.get("content-type"), "text/html; charset=utf-8");
      EXPECT_FALSE(out->head.headers.has("server"));
      EXPECT_EQ(out->head.content_length, out->body.size());
    }
  }
}

TEST(S3Verdict, IsAPageOfOursForWhatTheClientCanUnderstand) {
  const struct {
    int from;
    std::string_view code;
    int to;
    bool warns;
  } rows[] = {{404, "NoSuchKey", 404, false},
              {404, "NoSuchVersion", 404, false},
              {404, "", 404, false},
              {403, "AccessDenied", 404, true},
              {405, "MethodNotAllowed", 404, false},
              {412, "PreconditionFailed", 412, false},
              {416, "InvalidRange", 416, false},
              {503, "SlowDown", 503, true},
              {503, "ServiceUnavailable", 503, true},
              {429, "TooManyRequests", 503, true},
              {400, "KeyTooLongError", 404, false}};
  for (const auto& row : rows) {
    const auto out = verdict(row.from, row.code.empty() ? "" : xml(row.code));
    ASSERT_TRUE(out) << row.from << row.code;
    EXPECT_EQ(out->head.status, row.to) << row.code;
    EXPECT_EQ(!out->warning.empty(), row.warns) << row.code;
  }
}

TEST(S3Verdict, IsAnErrorOfTheOriginThatSaysHowToMendItForWhatTheOperatorMustMend) {
  const struct {
    int from;
    std::string_view code, mend;
  } rows[] = {{403, "InvalidAccessKeyId", "credentials"},     {403, "SignatureDoesNotMatch", "secret_access_key"},
              {403, "RequestTimeTooSkewed", "clock"},         {404, "NoSuchBucket", "check bucket"},
              {400, "ExpiredToken", "credentials"},           {301, "PermanentRedirect", "region and endpoint"},
              {403, "InvalidObjectState", "archived"},        {500, "InternalError", "trouble of its own"},
              {400, "AuthorizationHeaderMalformed", "region"}};
  for (const auto& row : rows) {
    const auto out = verdict(row.from, xml(row.code));
    ASSERT_FALSE(out) << row.code;
    EXPECT_EQ(out.error().side, Side::origin);
    EXPECT_THAT(out.error().what, HasSubstr(std::string(row.code)));
    EXPECT_THAT(out.error().what, HasSubstr(std::string(row.mend)));
  }
  EXPECT_THAT(verdict(400, xml("AuthorizationHeaderMalformed", "<Region>eu-central-1</Region>")).error().what,
              HasSubstr("eu-central-1"));
}

TEST(S3Verdict, ToHeadHasTheLengthOfThePageButNotThePage) {
  const auto out = verdict(404, "", "HEAD");
  EXPECT_EQ(out->body, "");
  EXPECT_EQ(out->head.content_length, verdict(404, "")->body.size());
}

TEST(S3Verdict, ToHeadRefusedWithoutACodeIsNotToBeRemembered) {
  EXPECT_EQ(verdict(403, "", "HEAD")->head.headers.get("cache-control"), "no-store");
  EXPECT_FALSE(verdict(403, xml("AccessDenied"))->head.headers.has("cache-control"));
}

TEST(S3Verdict, ForARangeBeyondTheEndTellsTheSize) {
  const auto out = verdict(416, xml("InvalidRange", "<ActualObjectSize>123</ActualObjectSize>"));
  EXPECT_EQ(out->head.headers.get("content-range"), "bytes */123");
}

TEST(S3Verdict, PassesRetryAfterOn) {
  auto head = status(503);
  head.headers.add("retry-after", "2");
  EXPECT_EQ(s3_verdict(head, s3_fault(xml("SlowDown")), "GET", "site")->head.headers.get("retry-after"), "2");
}

TEST(S3Fault, OfSomethingElseThanAnErrorIsEmpty) {
  for (const std::string_view body : {"", "<html><Code>NoSuchKey</Code></html>", "<Error><Code>NoSuchKey"}) {
    EXPECT_EQ(s3_fault(body).code, "");
  }
}

} // namespace
} // namespace verge::origin::aws
