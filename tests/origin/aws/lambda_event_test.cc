#include "origin/aws/lambda_event.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace verge::origin::aws {
namespace {

using Json = nlohmann::json;

// 2020-03-12 19:03:58.390 UTC
constexpr WallTime kNow{Millis(1'584'039'838'390)};

class LambdaEvent : public testing::Test {
 protected:
  LambdaEvent() {
    head_.method = "GET";
    head_.scheme = "https";
    head_.authority = "www.example.com";
    head_.path = "/my/path";
    client_ = {.address = "192.0.2.1",
               .scheme = "https",
               .host = "www.example.com",
               .tls = nullptr,
               .request_id = 0x0fedcba987654321};
  }
  Json event(std::string_view body = "") {
    head_.has_body = !body.empty();
    return Json::parse(lambda_event(head_, client_, body, kNow));
  }
  void ask(std::string query) {
    head_.query = std::move(query);
    head_.has_query = true;
  }
  http::RequestHead head_;
  ClientInfo client_;
};

TEST_F(LambdaEvent, OfAPlainGetHasTheseFieldsAndNoOthers) {
  head_.headers.add("user-agent", "curl/8");
  head_.headers.add("accept", "*/*");
  EXPECT_EQ(event(), Json::parse(R"({
    "version": "2.0", "routeKey": "$default", "rawPath": "/my/path", "rawQueryString": "",
    "headers": {"user-agent": "curl/8", "accept": "*/*", "host": "www.example.com", "x-forwarded-for": "192.0.2.1",
                "x-forwarded-proto": "https", "x-forwarded-port": "443"},
    "requestContext": {
      "accountId": "anonymous", "apiId": "verge", "domainName": "www.example.com", "domainPrefix": "www",
      "http": {"method": "GET", "path": "/my/path", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "curl/8"},
      "requestId": "123456789abcdef0", "routeKey": "$default", "stage": "$default",
      "time": "12/Mar/2020:19:03:58 +0000", "timeEpoch": 1584039838390},
    "isBase64Encoded": false})"));
}

TEST_F(LambdaEvent, HasThePathAndQueryAsReceivedAndTheQueryDecodedBesides) {
  head_.path = "/pa2%Fth/1";
  ask("a=1&a=2&b=x%20y+z&c&=n&d=%C3%BC");
  const Json out = event();
  EXPECT_EQ(out["rawPath"], "/pa2%Fth/1");
  EXPECT_EQ(out["rawQueryString"], "a=1&a=2&b=x%20y+z&c&=n&d=%C3%BC");
  EXPECT_EQ(out["queryStringParameters"], Json::parse(R"({"a": "1,2", "b": "x y z", "c": "", "": "n", "d": "ü"})"));
}

TEST_F(LambdaEvent, HasNoQueryParametersForAnEmptyQuery) {
  ask("");
  EXPECT_FALSE(event().contains("queryStringParameters"));
  ask("&&");
  EXPECT_FALSE(event().contains("queryStringParameters"));
}

TEST_F(LambdaEvent, JoinsRepeatedFieldsWithAComma) {
  head_.headers.add("x-a", "1");
  head_.headers.add("x-a", "2");
  EXPECT_EQ(event()["headers"]["x-a"], "1,2");
}

TEST_F(LambdaEvent, HasCookiesInAListAndNotAmongTheFields) {
  head_.headers.add("cookie", "a=1; b=2");
  head_.headers.add("cookie", "c=3");
  const Json out = event();
  EXPECT_EQ(out["cookies"], Json::parse(R"(["a=1", "b=2", "c=3"])"));
  EXPECT_FALSE(out["headers"].contains("cookie"));
}

TEST_F(LambdaEvent, BelievesNoClientAboutForwardingOrTls) {
  head_.headers.add("x-forwarded-for", "6.6.6.6");
  head_.headers.add("x-forwarded-host", "evil");
  head_.headers.add("x-amzn-tls-version", "TLSv9");
  const Json out = event()["headers"];
  EXPECT_EQ(out["x-forwarded-for"], "192.0.2.1");
  EXPECT_FALSE(out.contains("x-forwarded-host"));
  EXPECT_FALSE(out.contains("x-amzn-tls-version"));
}

TEST_F(LambdaEvent, TellsThePortOfTheClientsAuthority) {
  client_.host = "localhost:8443";
  const Json out = event();
  EXPECT_EQ(out["headers"]["x-forwarded-port"], "8443");
  EXPECT_EQ(out["headers"]["host"], "localhost:8443");
  EXPECT_EQ(out["requestContext"]["domainName"], "localhost");
}

TEST_F(LambdaEvent, HasTheVerifiedClientCertificate) {
  net::TlsInfo tls;
  tls.version = "TLSv1.3";
  tls.cipher = "TLS_AES_128_GCM_SHA256";
  client_.tls = &tls;
  EXPECT_FALSE(event()["requestContext"].contains("authentication"));
  tls.client_cert_pem = "PEM";
  tls.client_subject = "CN=me";
  tls.client_issuer = "CN=ca";
  tls.client_serial = "A1B2C3";
  tls.client_not_before = "May 28 12:30:02 2019 GMT";
  tls.client_not_after = "Aug  5 09:36:04 2021 GMT";
  const Json out = event();
  EXPECT_EQ(out["requestContext"]["authentication"]["clientCert"], Json::parse(R"({
    "clientCertPem": "PEM", "subjectDN": "CN=me", "issuerDN": "CN=ca", "serialNumber": "a1:b2:c3",
    "validity": {"notBefore": "May 28 12:30:02 2019 GMT", "notAfter": "Aug  5 09:36:04 2021 GMT"}})"));
  EXPECT_EQ(out["headers"]["x-amzn-tls-version"], "TLSv1.3");
  EXPECT_EQ(out["headers"]["x-amzn-tls-cipher-suite"], "TLS_AES_128_GCM_SHA256");
}

TEST_F(LambdaEvent, HasABodyOfATextTypeAsTextAndAnyOtherInBase64) {
  const struct {
    std::string_view type, body;
    bool text;
  } rows[] = {{"application/json", "{\"a\":\"\xc3\xbc\"}", true},
              {"Application/JSON; charset=utf-8", "{}", true},
              {"text/plain", "hello", true},
              {"text/csv;header=present", "a,b", true},
              {"application/xml", "<a/>", true},
              {"application/javascript", "1", true},
              {"text/plain", "not utf-8: \xff", false},
              {"application/x-www-form-urlencoded", "a=1", false},
              {"multipart/form-data; boundary=b", "--b--", false},
              {"application/octet-stream", "hello", false},
              {"image/png", "\x89PNG", false},
              {"", "hello", false}};
  for (const auto& row : rows) {
    head_.headers.clear();
    if (!row.type.empty()) head_.headers.add("content-type", row.type);
    head_.method = "POST";
    const Json out = event(row.body);
    EXPECT_EQ(out["isBase64Encoded"], !row.text) << row.type;
    if (row.text) {
      EXPECT_EQ(out["body"], row.body) << row.type;
    }
    EXPECT_EQ(out["headers"]["content-length"], std::to_string(row.body.size()));
  }
  EXPECT_EQ(event("\xff\x00\x01")["body"], "/w==");
}

TEST_F(LambdaEvent, HasACompressedBodyInBase64) {
  head_.headers.add("content-type", "application/json");
  head_.headers.add("content-encoding", "gzip");
  EXPECT_EQ(event("{}")["isBase64Encoded"], true);
}

TEST_F(LambdaEvent, IsAlwaysValidJsonWhateverTheClientSent) {
  head_.path = "/\xff\"\\";
  ask("a=%FF&%00=%01");
  head_.headers.add("x-latin", "caf\xe9");
  const Json out = event();
  EXPECT_EQ(out["headers"]["x-latin"], "caf\xef\xbf\xbd");
}

} // namespace
} // namespace verge::origin::aws
