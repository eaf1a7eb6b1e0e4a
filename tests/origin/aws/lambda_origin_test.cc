// The Lambda origin on the wire.
#include <nlohmann/json.hpp>

#include "tests/origin/aws/aws_harness.h"

namespace verge::origin {
namespace {

using testing::HasSubstr;
using testing::Not;
using LambdaOrigin = AwsOrigins;

TEST_F(LambdaOrigin, IsInvokedWithTheRequestAsEvent) {
  Inbox inbox;
  ScriptedOrigin server({[&](Peer& p) {
    inbox.read(p);
    p.send(response(
        200, R"({"statusCode":201,"headers":{"x-a":"1"},"cookies":["c=1"],"body":"aGk=","isBase64Encoded":true})"));
  }});
  use_lambda(server);
  auto request = with_method("POST", "/hello", 7);
  request.head.headers.add("content-type", "application/json");
  request.head.headers.add("authorization", "Bearer of-the-client");
  const auto sink = ask(std::move(request), "{\"a\":1}");
  ASSERT_TRUE(sink.ended) << sink.error_text();
  EXPECT_EQ(sink.head->status, 201);
  EXPECT_EQ(sink.field("x-a"), "1");
  EXPECT_EQ(sink.field("set-cookie"), "c=1");
  EXPECT_EQ(sink.body, "hi");

  const Received got = inbox.at(0);
  EXPECT_EQ(got.method, "POST");
  EXPECT_EQ(got.path, "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A1%3Afunction%3Ahello/invocations");
  EXPECT_EQ(got.headers.get("x-amz-invocation-type"), "RequestResponse");
  EXPECT_EQ(got.headers.get("authorization"), got.right_authorization("lambda", aws::PathRule::normalized, now()));
  const auto event = nlohmann::json::parse(got.body);
  EXPECT_EQ(event["rawPath"], "/hello");
  EXPECT_EQ(event["body"], "{\"a\":1}");
  EXPECT_EQ(event["isBase64Encoded"], false);
  EXPECT_EQ(event["headers"]["authorization"], "Bearer of-the-client");
  EXPECT_EQ(event["requestContext"]["http"]["sourceIp"], "192.0.2.7");
}

TEST_F(LambdaOrigin, IsInvokedAtItsQualifier) {
  Inbox inbox;
  ScriptedOrigin server({[&](Peer& p) {
    inbox.read(p);
    p.send(response(200, "{}"));
  }});
  auto o = options(config::OriginType::lambda, server.url());
  o.function = "hello";
  o.qualifier = "live";
  use(make_lambda_origin(o, context()));
  EXPECT_EQ(ask(get("/")).body, "{}");
  const Received got = inbox.at(0);
  EXPECT_EQ(got.path + "?" + got.query, "/2015-03-31/functions/hello/invocations?Qualifier=live");
}

TEST_F(LambdaOrigin, FunctionsThatFailAreErrorsOfTheOrigin) {
  ScriptedOrigin server({[](Peer& p) {
    const auto fail = [&](std::string_view type) {
      Received::read(p);
      p.send(response(200, fmt::format(R"({{"errorType":"{}","errorMessage":"SECRET"}})", type),
                      "X-Amz-Function-Error: Unhandled\r\n"));
    };
    fail("TypeError");
    fail("Sandbox.Timedout");
  }});
  use_lambda(server);
  auto sink = ask(get("/"));
  ASSERT_TRUE(sink.error);
  EXPECT_FALSE(sink.head);
  EXPECT_EQ(sink.error->side, Side::origin);
  EXPECT_THAT(sink.error->what, HasSubstr("TypeError"));
  EXPECT_THAT(sink.error->what, Not(HasSubstr("SECRET")));
  EXPECT_EQ(ask(get("/")).error->code, Errc::timeout);
}

TEST_F(LambdaOrigin, IsNotInvokedForABodyThatIsTooLarge) {
  ScriptedOrigin server({});
  use_lambda(server, 4);
  auto sink = ask(with_method("POST", "/", 5), "12345");
  ASSERT_TRUE(sink.error);
  EXPECT_EQ(sink.error->code, Errc::too_large);
  EXPECT_EQ(sink.error->side, Side::client);
  auto unknown_length = with_method("POST", "/", 5);
  unknown_length.head.content_length.reset();
  EXPECT_EQ(ask(std::move(unknown_length), "12345").error->code, Errc::too_large);
}

TEST_F(LambdaOrigin, IsInvokedOnceMoreAfterAServiceFailureIfTheMethodIsSafe) {
  ScriptedOrigin server({[](Peer& p) {
    Received::read(p);
    p.send(response(500, "{}", "x-amzn-ErrorType: ServiceException\r\n"));
    Received::read(p);
    p.send(response(200, R"({"statusCode":200,"body":"second"})"));
    Received::read(p);
    p.send(response(500, "{}", "x-amzn-ErrorType: ServiceException\r\n"));
  }});
  use_lambda(server);
  EXPECT_EQ(ask(get("/")).body, "second");
  const auto sink = ask(with_method("POST", "/", 1), "x");
  ASSERT_TRUE(sink.error);
  EXPECT_THAT(sink.error->what, HasSubstr("500 ServiceException"));
}

TEST_F(LambdaOrigin, AnswersWaitWhilePaused) {
  const std::string big(300'000, 'x');
  ScriptedOrigin server({[&](Peer& p) {
    Received::read(p);
    p.send(response(200, fmt::format(R"({{"statusCode":200,"body":"{}"}})", big)));
  }});
  use_lambda(server);
  RecordingSink sink;
  const auto fetch = origin_->fetch(get("/"), sink);
  sink.at_data = [&] {
    if (sink.data_calls == 1) fetch->pause();
  };
  ASSERT_TRUE(run_until([&] { return sink.data_calls == 1; }));
  settle();
  EXPECT_EQ(sink.data_calls, 1);
  EXPECT_FALSE(sink.ended);
  fetch->resume();
  ASSERT_TRUE(run_until_over(sink));
  EXPECT_EQ(sink.body.size(), big.size());
}

TEST_F(LambdaOrigin, AnswersBeyondAllLimitsAreErrorsOfTheOrigin) {
  ScriptedOrigin server({[](Peer& p) {
    Received::read(p);
    p.send(response(200, "\"" + std::string(9 * 1024 * 1024, 'x') + "\""));
    p.read_to_end();
  }});
  use_lambda(server);
  const auto sink = ask(get("/"));
  ASSERT_TRUE(sink.error);
  EXPECT_EQ(sink.error->side, Side::origin);
}

} // namespace
} // namespace verge::origin
