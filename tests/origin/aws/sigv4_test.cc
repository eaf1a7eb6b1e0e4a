#include "origin/aws/sigv4.h"

#include <gtest/gtest.h>

namespace verge::origin::aws {
namespace {

using namespace std::chrono_literals;

// The example account of AWS's own documents.
const Credentials kExample{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "", {}};
constexpr WallTime kExampleTime = std::chrono::sys_days(std::chrono::year(2013) / 5 / 24);

std::string signature(const http::Headers& added) {
  const std::string value(added.get("authorization").value_or(""));
  return value.substr(value.find("Signature=") + 10);
}

std::string s3_signature(std::string_view path, std::string_view query, const http::Headers& headers) {
  Signer signer("us-east-1", "s3", PathRule::verbatim, true);
  const SignRequest request{"GET", path, query, "examplebucket.s3.amazonaws.com", kEmptyPayload, &headers};
  return signature(signer.sign(request, kExample, kExampleTime));
}

TEST(SigV4, GivesTheDocumentedSignatureForAnS3GetWithRange) {
  http::Headers headers;
  headers.add("range", "bytes=0-9");
  EXPECT_EQ(s3_signature("/test.txt", "", headers), "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(SigV4, GivesTheDocumentedSignatureForANameWithoutValue) {
  EXPECT_EQ(s3_signature("/", "lifecycle", {}), "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TEST(SigV4, GivesTheDocumentedSignatureForAQueryOfTwo) {
  EXPECT_EQ(s3_signature("/", "max-keys=2&prefix=J", {}),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(SigV4, SignsTheSameWhateverTheOrderOfTheQuery) {
  EXPECT_EQ(s3_signature("/", "prefix=J&max-keys=2", {}), s3_signature("/", "max-keys=2&prefix=J", {}));
}

TEST(SigV4, LeavesOutWhatAMiddleBoxMayChange) {
  http::Headers headers;
  headers.add("range", "bytes=0-9");
  headers.add("user-agent", "curl/8");
  headers.add("accept-encoding", "gzip");
  headers.add("connection", "close");
  headers.add("x-amzn-trace-id", "Root=1");
  headers.add("authorization", "Bearer of-the-client");
  EXPECT_EQ(s3_signature("/test.txt", "", headers), "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(SigV4, AddsDateTokenPayloadHashAndAuthorizationAndSignsTheToken) {
  Credentials temporary = kExample;
  temporary.session_token = "the-token";
  Signer signer("eu-west-1", "s3", PathRule::verbatim, true);
  const auto added = signer.sign({"GET", "/a", "", "h", kEmptyPayload, nullptr}, temporary, kExampleTime + 3661s);
  EXPECT_EQ(added.get("x-amz-date"), "20130524T010101Z");
  EXPECT_EQ(added.get("x-amz-security-token"), "the-token");
  EXPECT_EQ(added.get("x-amz-content-sha256"), kEmptyPayload);
  EXPECT_TRUE(added.get("authorization")
                  ->starts_with("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/eu-west-1/s3/aws4_request, "
                                "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature="));
}

TEST(SigV4, DerivesANewKeyWhenTheDayOrTheSecretChanges) {
  Signer kept("us-east-1", "s3", PathRule::verbatim, true);
  const SignRequest request{"GET", "/a", "", "h", kEmptyPayload, nullptr};
  Credentials rotated = kExample;
  rotated.secret_access_key = "another";
  for (int day = 0; day < 20; ++day) {
    for (const Credentials* credentials : {&kExample, const_cast<const Credentials*>(&rotated)}) {
      Signer fresh("us-east-1", "s3", PathRule::verbatim, true);
      const WallTime now = kExampleTime + day * 24h;
      EXPECT_EQ(signature(kept.sign(request, *credentials, now)), signature(fresh.sign(request, *credentials, now)));
    }
  }
}

TEST(CanonicalPath, IsAsSentForS3AndResolvedAndEncodedAgainForOthers) {
  EXPECT_EQ(canonical_path("/a//../b%20c", PathRule::verbatim), "/a//../b%20c");
  EXPECT_EQ(canonical_path("/a//x/../b%20c", PathRule::normalized), "/a/b%2520c");
  EXPECT_EQ(canonical_path("/2015-03-31/functions/arn%3Aaws", PathRule::normalized),
            "/2015-03-31/functions/arn%253Aaws");
  EXPECT_EQ(canonical_path("", PathRule::normalized), "/");
  EXPECT_EQ(canonical_path("/..", PathRule::normalized), "/");
  EXPECT_EQ(canonical_path("/a/", PathRule::normalized), "/a/");
}

TEST(CanonicalHeaders, JoinRepeatedLinesAndFoldBlanks) {
  http::Headers headers;
  headers.add("X-B", "  two   words\t here ");
  headers.add("A", "1");
  headers.add("x-b", "more");
  const CanonicalHeaders out = canonical_headers(headers);
  EXPECT_EQ(out.text, "a:1\nx-b:two words here,more\n");
  EXPECT_EQ(out.signed_names, "a;x-b");
}

} // namespace
} // namespace verge::origin::aws
