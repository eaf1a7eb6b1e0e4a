#include "proxy/control/tools/aws_signature.h"

#include <gtest/gtest.h>

#include "origin/aws/digest.h"
#include "origin/aws/sigv4.h"

namespace verge::control {
namespace {

constexpr const char* kBody = "<InvalidationBatch/>";
const WallTime kNow = *parse_amz_date("20261121T040000Z");

// A request as the AWS CLI signs it, by our own signer, which is held against the official suite.
struct AwsSignatureTest : testing::Test {
  http::RequestHead request(std::string region = "us-east-1", std::string service = "cloudfront", WallTime when = kNow,
                            bool payload_hash = false, std::string secret = "secret") {
    http::RequestHead head;
    head.method = "POST";
    head.authority = "127.0.0.1:9090";
    head.path = "/2020-05-31/distribution/E%2F2%20x/invalidation";
    head.content_length = std::string_view(kBody).size();
    head.headers.add("content-type", "application/xml");
    origin::aws::Signer signer(std::move(region), std::move(service), origin::aws::PathRule::normalized, payload_hash);
    origin::aws::Credentials credentials;
    credentials.access_key_id = "AKIAEXAMPLE";
    credentials.secret_access_key = std::move(secret);
    const std::string hash = origin::aws::hex(origin::aws::sha256(kBody));
    const auto added =
        signer.sign({head.method, head.path, head.query, head.authority, hash, &head.headers}, credentials, when);
    for (const auto& field : added) head.headers.add(field.name, field.value);
    return head;
  }
  std::string code(const http::RequestHead& head, std::string_view body = kBody) {
    const auto out = check_signature(head, body, check, kNow);
    return out.fault ? std::string(out.fault->code) : "signed by " + out.key_id;
  }
  SignatureCheck check{"cloudfront", Seconds(900), [](std::string_view id) -> std::optional<std::string_view> {
                         if (id == "AKIAEXAMPLE") return "secret";
                         return std::nullopt;
                       }};
};

TEST_F(AwsSignatureTest, TakesWhatIsSignedWithAKnownKeyInAnyRegion) {
  EXPECT_EQ(code(request()), "signed by AKIAEXAMPLE");
  EXPECT_EQ(code(request("eu-west-1")), "signed by AKIAEXAMPLE");
  EXPECT_EQ(code(request("us-east-1", "cloudfront", kNow, true)), "signed by AKIAEXAMPLE") << "x-amz-content-sha256";
}

TEST_F(AwsSignatureTest, RefusesAnotherSecretKeyOrService) {
  EXPECT_EQ(code(request("us-east-1", "cloudfront", kNow, false, "other")), "SignatureDoesNotMatch");
  EXPECT_EQ(code(request("us-east-1", "s3")), "SignatureDoesNotMatch");
  check.secret_of = [](std::string_view) { return std::nullopt; };
  EXPECT_EQ(code(request()), "InvalidClientTokenId");
}

TEST_F(AwsSignatureTest, RefusesWhatWasChangedOnTheWay) {
  EXPECT_EQ(code(request(), "<InvalidationBatch />"), "SignatureDoesNotMatch") << "body";
  auto head = request();
  head.path = "/2020-05-31/distribution/E2/invalidation";
  EXPECT_EQ(code(head), "SignatureDoesNotMatch");
  head = request();
  head.query = "Marker=x";
  EXPECT_EQ(code(head), "SignatureDoesNotMatch");
  head = request();
  head.method = "GET";
  EXPECT_EQ(code(head), "SignatureDoesNotMatch");
  head = request();
  head.authority = "other:9090";
  EXPECT_EQ(code(head), "SignatureDoesNotMatch");
  head = request();
  head.headers.set("content-type", "text/plain");
  EXPECT_EQ(code(head), "SignatureDoesNotMatch") << "a signed field";
}

TEST_F(AwsSignatureTest, RefusesWhatIsMoreThanAQuarterOfAnHourAway) {
  EXPECT_EQ(code(request("r", "cloudfront", kNow - Seconds(900))), "signed by AKIAEXAMPLE");
  EXPECT_EQ(code(request("r", "cloudfront", kNow - Seconds(901))), "RequestExpired");
  EXPECT_EQ(code(request("r", "cloudfront", kNow + Seconds(900))), "signed by AKIAEXAMPLE");
  EXPECT_EQ(code(request("r", "cloudfront", kNow + Seconds(901))), "RequestExpired");
}

TEST_F(AwsSignatureTest, RefusesFieldsOfAmazonsThatAreNotSigned) {
  auto head = request();
  head.headers.add("x-amz-target", "x");
  EXPECT_EQ(code(head), "SignatureDoesNotMatch");
  head = request();
  head.headers.add("x-amz-security-token", "t");
  EXPECT_EQ(code(head), "InvalidClientTokenId") << "no key of ours is temporary";
  head = request();
  head.headers.add("x-amz-date", "20261121T040000Z");
  EXPECT_EQ(code(head), "MissingAuthenticationToken") << "two dates are none";
}

TEST_F(AwsSignatureTest, SaysWhatIsMissing) {
  auto head = request();
  head.headers.remove("authorization");
  EXPECT_EQ(code(head), "MissingAuthenticationToken");
  for (const char* text :
       {"Bearer x", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=A/20261121/r/cloudfront/aws4_request, SignedHeaders=host",
        "AWS4-HMAC-SHA256 Credential=A/20261121/r/cloudfront/aws4_request, SignedHeaders=, Signature=0",
        "AWS4-HMAC-SHA256 Credential=A/20261121/r/cloudfront/aws4_request, SignedHeaders=a, Signature=0, "
        "Signature=1"}) {
    head.headers.set("authorization", text);
    EXPECT_EQ(code(head), "IncompleteSignature") << text;
  }
  head = request();
  head.headers.set(
      "authorization",
      "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261121/r/cloudfront/aws4_request, SignedHeaders=x-amz-date, "
      "Signature=0");
  EXPECT_EQ(code(head), "SignatureDoesNotMatch") << "the host must be signed";
  head.headers.set("authorization",
                   "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261120/r/cloudfront/aws4_request, SignedHeaders=host, "
                   "Signature=0");
  EXPECT_EQ(code(head), "SignatureDoesNotMatch") << "the scope's date";
}

TEST(AmzDate, IsOfOneForm) {
  EXPECT_EQ(parse_amz_date("19700101T000001Z"), WallTime(Millis(1'000)));
  for (const char* text : {"", "20261121T040000", "20261121 040000Z", "20261321T040000Z", "20260230T040000Z",
                           "20261121T240000Z", "-0261121T040000Z", "2026112xT040000Z"}) {
    EXPECT_FALSE(parse_amz_date(text)) << text;
  }
}

} // namespace
} // namespace verge::control
