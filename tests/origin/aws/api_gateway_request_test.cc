#include "origin/aws/api_gateway_request.h"

#include <gtest/gtest.h>

namespace verge::origin::aws {
namespace {

class ApiGatewayRequest : public testing::Test {
 protected:
  ApiGatewayRequest() {
    request_.head.method = "POST";
    request_.head.scheme = "https";
    request_.head.authority = "www.example.com";
    request_.head.path = "/orders/a%20b";
    request_.client = {.address = "192.0.2.1",
                       .scheme = "https",
                       .host = "www.example.com",
                       .tls = nullptr,
                       .request_id = 0x0fedcba987654321};
  }
  http::RequestHead sent(std::string_view prefix = "/prod", bool signing = false) {
    return api_gateway_request(request_, *parse_http_url("https://abc.execute-api.eu-west-1.amazonaws.com", nullptr),
                               prefix, "abc.execute-api.eu-west-1.amazonaws.com", signing);
  }
  FetchRequest request_;
};

TEST_F(ApiGatewayRequest, GoesToTheStageUnderTheApisOwnHost) {
  request_.head.query = "x=1&x=2";
  request_.head.has_query = true;
  const auto head = sent();
  EXPECT_EQ(head.target(), "/prod/orders/a%20b?x=1&x=2");
  EXPECT_EQ(head.authority, "abc.execute-api.eu-west-1.amazonaws.com");
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(sent("").path, "/orders/a%20b");
}

TEST_F(ApiGatewayRequest, TellsTheApiWhoAskedUnderWhichName) {
  const auto head = sent();
  EXPECT_EQ(head.headers.get("x-forwarded-host"), "www.example.com");
  EXPECT_EQ(head.headers.get("x-forwarded-for"), "192.0.2.1");
  EXPECT_EQ(head.headers.get("x-forwarded-proto"), "https");
}

TEST_F(ApiGatewayRequest, KeepsTheClientsFieldsButNotTheHopByHopOnes) {
  request_.head.headers.add("authorization", "Bearer t");
  request_.head.headers.add("cookie", "a=1");
  request_.head.headers.add("connection", "x-hop");
  request_.head.headers.add("x-hop", "1");
  request_.head.headers.add("te", "trailers");
  const auto head = sent();
  EXPECT_EQ(head.headers.get("authorization"), "Bearer t");
  EXPECT_EQ(head.headers.get("cookie"), "a=1");
  for (const auto name : {"connection", "x-hop", "te"}) EXPECT_FALSE(head.headers.has(name)) << name;
}

TEST_F(ApiGatewayRequest, ToBeSignedHasNoSignatureOfTheClientsAndOneSpellingOfABlank) {
  request_.head.headers.add("authorization", "Bearer t");
  request_.head.headers.add("x-amz-security-token", "t");
  request_.head.query = "q=a+b+c";
  request_.head.has_query = true;
  const auto head = sent("/prod", true);
  EXPECT_FALSE(head.headers.has("authorization"));
  EXPECT_FALSE(head.headers.has("x-amz-security-token"));
  EXPECT_EQ(head.query, "q=a%20b%20c");
  EXPECT_EQ(sent().query, "q=a+b+c");
}

} // namespace
} // namespace verge::origin::aws
