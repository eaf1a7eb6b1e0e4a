#include "origin/aws/lambda_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace verge::origin::aws {
namespace {

using testing::HasSubstr;
using testing::Not;

LambdaAnswer parsed(std::string_view payload, std::string_view method = "GET") {
  auto out = parse_lambda_payload(payload, method);
  EXPECT_TRUE(out) << payload << ": " << out.error().what;
  return out ? std::move(*out) : LambdaAnswer{};
}

std::string type_of(const LambdaAnswer& answer) { return answer.head.headers.joined("content-type"); }

// The table of payload format 2.0: what functions return, and what clients get.
TEST(LambdaPayload, WithoutStatusCodeIsTheBodyOfAJsonResponse) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {R"({"hello": "world"})", R"({"hello":"world"})"},
      {R"("hello")", "hello"},
      {R"("a\nb\u00fc")", "a\nb\xc3\xbc"},
      {"3", "3"},
      {"3.1", "3.1"},
      {"true", "true"},
      {R"(["hello", 3, true])", R"(["hello",3,true])"},
      {"null", "null"},
      {"{}", "{}"},
      {R"({"body": "x", "headers": {"a": "b"}})", R"({"body":"x","headers":{"a":"b"}})"},
  };
  for (const auto& [payload, body] : rows) {
    const auto out = parsed(payload);
    EXPECT_EQ(out.head.status, 200);
    EXPECT_EQ(type_of(out), "application/json");
    EXPECT_EQ(out.body, body);
    EXPECT_EQ(out.head.content_length, body.size());
  }
}

TEST(LambdaPayload, KeepsNumbersOrderAndEscapesOfAPlainValue) {
  EXPECT_EQ(parsed("{\"z\": 12345678901234567890123, \"a\" : \"x \\\" \\\\\",\n \"a\": 1.50}").body,
            "{\"z\":12345678901234567890123,\"a\":\"x \\\" \\\\\",\"a\":1.50}");
}

TEST(LambdaPayload, WithStatusCodeIsAResponse) {
  const auto out = parsed(R"({"statusCode": 201, "headers": {"Content-Type": "text/plain", "X-A": "1"}, "body": "x"})");
  EXPECT_EQ(out.head.status, 201);
  EXPECT_EQ(type_of(out), "text/plain");
  EXPECT_EQ(out.head.headers.get("x-a"), "1");
  EXPECT_EQ(out.body, "x");
  EXPECT_EQ(out.head.content_length, 1u);
  EXPECT_TRUE(out.warnings.empty());
}

TEST(LambdaPayload, HasTypeJsonUnlessItNamesAnother) {
  EXPECT_EQ(type_of(parsed(R"({"statusCode":200,"body":"x"})")), "application/json");
}

TEST(LambdaPayload, HasItsBodyToTheLetter) {
  EXPECT_EQ(parsed(R"({"statusCode":200,"body":"{\"hello\": \"world\"}"})").body, R"({"hello": "world"})");
  EXPECT_EQ(parsed(R"({"statusCode":200,"body":{"a": [1, 2]}})").body, R"({"a":[1,2]})");
  EXPECT_EQ(parsed(R"({"statusCode":200,"body":null})").body, "");
  EXPECT_EQ(parsed(R"({"statusCode":200})").body, "");
  EXPECT_EQ(parsed(R"({"statusCode":200,"body":"aGkA/w==","isBase64Encoded":true})").body, std::string("hi\0\xff", 4));
  EXPECT_EQ(parsed(R"({"statusCode":200,"body":"aGk=","isBase64Encoded":false})").body, "aGk=");
}

TEST(LambdaPayload, TakesAStatusAsNumberOrText) {
  EXPECT_EQ(parsed(R"({"statusCode":"418"})").head.status, 418);
  EXPECT_EQ(parsed(R"({"statusCode":404.0})").head.status, 404);
  for (const std::string_view bad : {"\"test\"", "\"20\"", "\"2000\"", "0", "99", "101", "199", "600", "-200", "200.5",
                                     "1e300", "18446744073709551615", "true", "null", "[]", "{}"}) {
    const auto out = parse_lambda_payload(R"({"statusCode":)" + std::string(bad) + "}", "GET");
    ASSERT_FALSE(out) << bad;
    EXPECT_EQ(out.error().side, Side::origin);
    EXPECT_EQ(out.error().code, Errc::bad_input);
  }
}

TEST(LambdaPayload, HasOneSetCookieForEachCookie) {
  const auto out = parsed(R"({"statusCode":200,"cookies":["a=1; Path=/","b=2"],"headers":{"Set-Cookie":"c=3"}})");
  EXPECT_EQ(out.head.headers.count("set-cookie"), 3u);
  EXPECT_EQ(out.head.headers.joined("set-cookie"), "c=3, a=1; Path=/, b=2");
}

TEST(LambdaPayload, TakesHeaderValuesThatAreNotTexts) {
  const auto out = parsed(R"({"statusCode":200,"headers":{"a":true,"b":3,"c":null,"d":"x"}})");
  EXPECT_EQ(out.head.headers.get("a"), "true");
  EXPECT_EQ(out.head.headers.get("b"), "3");
  EXPECT_FALSE(out.head.headers.has("c"));
  EXPECT_TRUE(out.warnings.empty());
  EXPECT_EQ(parsed(R"({"statusCode":200,"headers":null,"cookies":null})").head.status, 200);
}

TEST(LambdaPayload, LeavesOutWhatCanNotBeSentAndSaysSo) {
  const auto out = parsed(R"({"statusCode":200,"headers":{"a b":"1","split\r\nx":"1","ok":"a\r\nset-cookie: evil=1",
                              "list":["1"],"":"1","good":" v "},"cookies":["a=1\r\nx: y",5]})");
  EXPECT_EQ(out.head.headers.size(), 2u);
  EXPECT_EQ(out.head.headers.get("good"), "v");
  EXPECT_EQ(type_of(out), "application/json");
  EXPECT_EQ(out.warnings.size(), 7u);
  EXPECT_EQ(parsed(R"({"statusCode":200,"headers":["a"],"cookies":"a"})").warnings.size(), 2u);
}

TEST(LambdaPayload, LosesHopByHopFieldsAndItsOwnLength) {
  const auto out = parsed(R"({"statusCode":200,"body":"four","headers":{"Connection":"x-a","X-A":"1",
                              "Transfer-Encoding":"chunked","Content-Length":"999","Keep-Alive":"1"}})");
  EXPECT_EQ(out.head.headers.size(), 1u);
  EXPECT_EQ(out.head.content_length, 4u);
}

TEST(LambdaPayload, ToHeadHasALengthButNoBody) {
  auto out = parsed(R"({"statusCode":200,"body":"four"})", "HEAD");
  EXPECT_EQ(out.body, "");
  EXPECT_EQ(out.head.content_length, 4u);
  out = parsed(R"({"statusCode":200,"headers":{"content-length":"99"}})", "HEAD");
  EXPECT_EQ(out.head.content_length, 99u);
}

TEST(LambdaPayload, HasNoBodyForAStatusWithoutOne) {
  for (const std::string_view status : {"204", "304"}) {
    const auto out = parsed(R"({"statusCode":)" + std::string(status) + R"(,"body":"x"})");
    EXPECT_EQ(out.body, "");
    EXPECT_EQ(out.head.content_length, std::nullopt);
    EXPECT_EQ(type_of(out), "");
  }
}

TEST(LambdaPayload, ThatMakesNoSenseIsAnErrorOfTheOriginThatDoesNotQuoteIt) {
  const std::string deep = std::string(5'000'000, '[');
  for (const std::string_view bad :
       {std::string_view(""), std::string_view("SECRET"), std::string_view("{\"a\":"), std::string_view("\"\xff\""),
        std::string_view("{} SECRET"),
        std::string_view(R"({"statusCode":200,"body":"SECRET!","isBase64Encoded":true})"), std::string_view(deep)}) {
    const auto out = parse_lambda_payload(bad, "GET");
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().side, Side::origin);
    EXPECT_THAT(out.error().what, Not(HasSubstr("SECRET")));
  }
}

Result<LambdaAnswer> answered(int status, std::string_view body, http::Headers headers = {}) {
  http::ResponseHead head;
  head.status = status;
  head.headers = std::move(headers);
  return lambda_answer(head, body, "hello", "GET");
}

http::Headers function_error(std::string_view kind = "Unhandled") {
  http::Headers headers;
  headers.add("x-amz-function-error", kind);
  return headers;
}

TEST(LambdaAnswer, OfAFunctionThatThrewIsAnErrorWithItsTypeAndWithoutItsMessage) {
  const auto out = answered(200, R"({"errorMessage":"password SECRET","errorType":"TypeError","trace":["SECRET"]})",
                            function_error());
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().side, Side::origin);
  EXPECT_EQ(out.error().code, Errc::bad_input);
  EXPECT_EQ(out.error().retry, Retry::never);
  EXPECT_THAT(out.error().what, HasSubstr("function hello failed: Unhandled TypeError"));
  EXPECT_THAT(out.error().what, Not(HasSubstr("SECRET")));
}

TEST(LambdaAnswer, OfAFunctionThatTookTooLongIsATimeout) {
  EXPECT_EQ(answered(200, R"({"errorType":"Sandbox.Timedout","errorMessage":"x"})", function_error()).error().code,
            Errc::timeout);
  EXPECT_EQ(
      answered(200, R"({"errorMessage":"2026-01-01T00:00:00Z id Task timed out after 3.00 seconds"})", function_error())
          .error()
          .code,
      Errc::timeout);
}

TEST(LambdaAnswer, OfAFunctionThatDiedIsAnErrorWhateverTheBody) {
  for (const std::string_view body :
       {R"({"errorType":"Runtime.ExitError"})", R"({"errorType":"Function.ResponseSizeTooLarge"})", "", "null", "[",
        R"({"statusCode":200,"body":"looks fine"})"}) {
    EXPECT_EQ(answered(200, body, function_error()).error().code, Errc::bad_input);
  }
}

TEST(LambdaAnswer, OfAThrottledFunctionIsA503WithItsRetryAfter) {
  http::Headers headers;
  headers.add("retry-after", "3");
  const auto out = answered(429, R"({"Reason":"ConcurrentInvocationLimitExceeded"})", headers);
  ASSERT_TRUE(out);
  EXPECT_EQ(out->head.status, 503);
  EXPECT_EQ(out->head.headers.get("retry-after"), "3");
  EXPECT_EQ(out->head.headers.get("cache-control"), "no-store");
  EXPECT_THAT(out->body, Not(HasSubstr("Reason")));
  EXPECT_FALSE(answered(429, "")->head.headers.has("retry-after"));
}

TEST(LambdaAnswer, OfTheServiceIsAnErrorThatSaysHowToMendIt) {
  http::Headers headers;
  headers.add("x-amzn-errortype", "ResourceNotFoundException:http://internal.amazon.com/");
  const auto out = answered(404, R"({"Message":"Function not found: SECRET"})", headers);
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().side, Side::origin);
  EXPECT_THAT(out.error().what, HasSubstr("404 ResourceNotFoundException; check function"));
  EXPECT_THAT(out.error().what, Not(HasSubstr("SECRET")));
  EXPECT_THAT(answered(403, "").error().what, HasSubstr("lambda:InvokeFunction"));
  for (const int status : {202, 204, 302, 400, 409, 410}) EXPECT_EQ(answered(status, "").error().side, Side::origin);
  for (const int status : {500, 502, 503}) EXPECT_EQ(answered(status, "").error().retry, Retry::if_idempotent);
}

TEST(LambdaAnswer, OfARequestThatIsTooLargeIsTheClients) {
  EXPECT_EQ(answered(413, "").error().side, Side::client);
  EXPECT_EQ(answered(413, "").error().code, Errc::too_large);
}

} // namespace
} // namespace verge::origin::aws
