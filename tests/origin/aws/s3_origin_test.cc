// The S3 origin on the wire.
#include "tests/origin/aws/aws_harness.h"

namespace verge::origin {
namespace {

using testing::HasSubstr;
using testing::Not;
using S3Origin = AwsOrigins;

TEST_F(S3Origin, GetsTheObjectWithASignatureOverWhatIsSent) {
  Inbox inbox;
  ScriptedOrigin server({[&](Peer& p) {
    inbox.read(p);
    p.send(response(206, "hello", "ETag: \"e\"\r\nx-amz-request-id: R\r\nServer: AmazonS3\r\n"));
  }});
  use_s3(server);
  auto request = get("/docs/a%20b+c/");
  request.head.headers.add("range", "bytes=0-4");
  request.head.headers.add("cookie", "secret=1");
  const auto sink = ask(std::move(request));
  ASSERT_TRUE(sink.ended) << sink.error_text();
  EXPECT_EQ(sink.head->status, 206);
  EXPECT_EQ(sink.body, "hello");
  EXPECT_EQ(sink.field("etag"), "\"e\"");
  EXPECT_EQ(sink.head->headers.size(), 1u);
  const Received got = inbox.at(0);
  EXPECT_EQ(got.path, "/site/docs/a%20b%2Bc/index.html");
  EXPECT_EQ(got.headers.get("range"), "bytes=0-4");
  EXPECT_FALSE(got.headers.has("cookie"));
  EXPECT_EQ(got.headers.get("authorization"), got.right_authorization("s3", aws::PathRule::verbatim, now()));
  EXPECT_EQ(got.headers.get("x-amz-security-token"), "TOKEN");
}

TEST_F(S3Origin, ErrorsAreAnsweredWithAPageOfOurs) {
  ScriptedOrigin server({[](Peer& p) {
    p.answer(response(404, "<Error><Code>NoSuchKey</Code><Key>secret</Key></Error>"));
    p.answer(response(403, "<Error><Code>SignatureDoesNotMatch</Code></Error>"));
  }});
  use_s3(server);
  auto sink = ask(get("/missing"));
  ASSERT_TRUE(sink.ended) << sink.error_text();
  EXPECT_EQ(sink.head->status, 404);
  EXPECT_THAT(sink.body, HasSubstr("Not Found"));
  EXPECT_THAT(sink.body, Not(HasSubstr("secret")));
  EXPECT_EQ(sink.head->content_length, sink.body.size());
  sink = ask(get("/a"));
  ASSERT_TRUE(sink.error);
  EXPECT_EQ(sink.error->side, Side::origin);
  EXPECT_THAT(sink.error->what, HasSubstr("origin o: S3 bucket site answered 403 SignatureDoesNotMatch"));
}

TEST_F(S3Origin, IsNotAskedForAListing) {
  ScriptedOrigin server({});
  use_s3(server, "");
  const auto sink = ask(get("/"));
  EXPECT_EQ(sink.head->status, 404);
  EXPECT_EQ(server.done(), 0);
}

TEST_F(S3Origin, RedirectsOfTheBucketsOwnerReachTheClient) {
  ScriptedOrigin server({[](Peer& p) {
    p.answer(response(200, std::string(200'000, 'x'), "x-amz-website-redirect-location: /new\r\n"));
    p.read_to_end();
  }});
  use_s3(server);
  const auto sink = ask(get("/old"));
  ASSERT_TRUE(sink.ended) << sink.error_text();
  EXPECT_EQ(sink.head->status, 301);
  EXPECT_EQ(sink.field("location"), "/new");
  EXPECT_EQ(sink.body, "");
}

TEST_F(S3Origin, ObjectsThatBreakOffAreErrors) {
  ScriptedOrigin server({[](Peer& p) { p.answer("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"); }});
  use_s3(server);
  const auto sink = ask(get("/a"));
  ASSERT_TRUE(sink.error);
  EXPECT_EQ(sink.error->side, Side::origin);
}

TEST_F(S3Origin, TakesGetAndHeadOnly) {
  ScriptedOrigin server({});
  use_s3(server);
  EXPECT_TRUE(origin_->allows("GET") && origin_->allows("HEAD"));
  for (const auto method : {"POST", "PUT", "DELETE", "OPTIONS"}) EXPECT_FALSE(origin_->allows(method));
}

TEST_F(S3Origin, FetchesMayBeDroppedInAnyOfTheirEvents) {
  const std::string fault = response(404, "<Error><Code>NoSuchKey</Code></Error>");
  const std::string object = response(200, "hello");
  for (const std::string& wire : {fault, object}) {
    for (int when = 0; when < 3; ++when) {
      ScriptedOrigin server({[&](Peer& p) {
        p.answer(wire);
        p.read_to_end();
      }});
      use_s3(server);
      RecordingSink sink;
      std::unique_ptr<Fetch> fetch;
      bool dropped = false;
      const auto drop = [&] {
        fetch.reset();
        dropped = true;
      };
      (when == 0 ? sink.at_head : when == 1 ? sink.at_data : sink.at_end) = drop;
      fetch = origin_->fetch(get("/a"), sink);
      ASSERT_TRUE(run_until([&] { return dropped; }));
      settle();
      EXPECT_EQ(sink.ended, when == 2);
      origin_.reset();
      settle();
    }
  }
}

} // namespace
} // namespace verge::origin
