// The API Gateway origin on the wire, and what all three need to be made.
#include "tests/origin/aws/aws_harness.h"

namespace verge::origin {
namespace {

using testing::HasSubstr;
using testing::Not;
using ApiGatewayOrigin = AwsOrigins;

TEST_F(ApiGatewayOrigin, GetsTheRequestAtItsStageUnderItsOwnHost) {
  Inbox inbox;
  ScriptedOrigin server({[&](Peer& p) {
    inbox.read(p);
    p.send(response(403, "{\"message\":\"Forbidden\"}", "x-amzn-Remapped-Date: d\r\nx-amzn-ErrorType: E\r\n"));
  }});
  use_gateway(server, false);
  auto request = with_method("PUT", "/orders/1", 4);
  request.head.query = "a=1+2";
  request.head.has_query = true;
  request.head.headers.add("authorization", "Bearer t");
  const auto sink = ask(std::move(request), "body");
  ASSERT_TRUE(sink.ended) << sink.error_text();
  EXPECT_EQ(sink.head->status, 403);
  EXPECT_EQ(sink.field("x-amzn-remapped-date"), "d");
  EXPECT_EQ(sink.body, "{\"message\":\"Forbidden\"}");
  const Received got = inbox.at(0);
  EXPECT_EQ(got.method, "PUT");
  EXPECT_EQ(got.path + "?" + got.query, "/prod/orders/1?a=1+2");
  EXPECT_EQ(got.body, "body");
  EXPECT_EQ(got.headers.get("host"), fmt::format("127.0.0.1:{}", server.port()));
  EXPECT_EQ(got.headers.get("x-forwarded-host"), "www.example.com");
  EXPECT_EQ(got.headers.get("authorization"), "Bearer t");
}

TEST_F(ApiGatewayOrigin, SignaturesCoverTheBody) {
  Inbox inbox;
  ScriptedOrigin server({[&](Peer& p) {
    inbox.read(p);
    p.send(response(200, "1"));
    inbox.read(p);
    p.send(response(200, "2"));
  }});
  use_gateway(server, true);
  EXPECT_EQ(ask(get("/a%20b")).body, "1");
  const Received bare = inbox.at(0);
  EXPECT_EQ(bare.headers.get("authorization"),
            bare.right_authorization("execute-api", aws::PathRule::normalized, now()));
  auto request = with_method("POST", "/a", 4);
  request.head.content_length.reset();
  request.head.query = "q=a+b";
  request.head.has_query = true;
  request.head.headers.add("content-type", "text/plain");
  EXPECT_EQ(ask(std::move(request), "body").body, "2");
  const Received full = inbox.at(1);
  EXPECT_EQ(full.body, "body");
  EXPECT_EQ(full.query, "q=a%20b");
  EXPECT_EQ(full.headers.get("authorization"),
            full.right_authorization("execute-api", aws::PathRule::normalized, now()));
  EXPECT_THAT(std::string(*full.headers.get("authorization")), HasSubstr("SignedHeaders=content-type;host;x-amz-date"));
}

TEST_F(ApiGatewayOrigin, IsNotAskedWithABodyTooLargeToSign) {
  ScriptedOrigin server({});
  use_gateway(server, true);
  const std::string body(10 * 1024 * 1024 + 1, 'x');
  const auto sink = ask(with_method("POST", "/a", body.size()), body);
  ASSERT_TRUE(sink.error);
  EXPECT_EQ(sink.error->code, Errc::too_large);
  EXPECT_EQ(sink.error->side, Side::client);
}

TEST_F(AwsOrigins, AreNotMadeWithoutWhatTheyNeedAndSayWhatIsMissing) {
  auto o = options(config::OriginType::s3, "");
  o.credentials.secret_access_key.clear();
  auto made = make_s3_origin(o, context());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::config);
  EXPECT_THAT(made.error().what, HasSubstr("origins.o: credentials: secret_access_key is missing"));
  o = options(config::OriginType::lambda, "");
  o.function.clear();
  EXPECT_THAT(make_lambda_origin(o, context()).error().what, HasSubstr("origins.o: function: is missing"));
  o = options(config::OriginType::api_gateway, "");
  o.url = "gopher://x";
  EXPECT_THAT(make_api_gateway_origin(o, context()).error().what, HasSubstr("origins.o: url: "));
  o.url = "http://127.0.0.1:1";
  o.region.clear();
  EXPECT_TRUE(make_api_gateway_origin(o, context()));
  o.sign = true;
  EXPECT_THAT(make_api_gateway_origin(o, context()).error().what, HasSubstr("origins.o: region: is missing"));
}

} // namespace
} // namespace verge::origin
