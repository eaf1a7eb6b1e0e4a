// Signature Version 4 ("AWS4-HMAC-SHA256"), header form. Pure: the time is passed in. The steps are functions of their
// own, so that who checks a received signature puts together the same text as who makes one. Source: the AWS General
// Reference, "Signing AWS API requests".
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "origin/aws/credentials.h"
#include "origin/aws/digest.h"
#include "proxy/base/clock.h"
#include "proxy/http/headers.h"

namespace verge::origin::aws {

// How the path that is sent becomes the path that is signed.
enum class PathRule : uint8_t {
  verbatim,   // S3: as sent; "//" and ".." are parts of keys
  normalized, // all others: dot segments and double slashes resolved, then percent-encoded once more
};

inline constexpr std::string_view kEmptyPayload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD"; // S3 only, and only over TLS of any worth

struct CanonicalHeaders {
  std::string text;         // "host:example.com\nx-amz-date:20130524T000000Z\n"
  std::string signed_names; // "host;x-amz-date"
};

// "20130524T000000Z"; its first 8 characters are the date of the scope.
std::string amz_date(WallTime now);
// `path` as on the request line, without query; empty counts as "/".
std::string canonical_path(std::string_view path, PathRule rule);
// `query` as on the request line, without "?": every name and value decoded and encoded again the strict way ("+"
// stands for itself), "name=value", in order of name, then value.
std::string canonical_query(std::string_view query);
// All of `headers`, by name; lines of one name joined with ","; outer blanks gone, inner runs made one.
CanonicalHeaders canonical_headers(const http::Headers& headers);
std::string canonical_request(std::string_view method, std::string_view canonical_path,
                              std::string_view canonical_query, const CanonicalHeaders& headers,
                              std::string_view payload_hash);
// "20130524/us-east-1/s3/aws4_request"
std::string credential_scope(std::string_view amz_date, std::string_view region, std::string_view service);
std::string string_to_sign(std::string_view amz_date, std::string_view scope, std::string_view canonical_request);
Digest signing_key(std::string_view secret, std::string_view amz_date, std::string_view region,
                   std::string_view service);

struct SignRequest {
  std::string_view method;
  std::string_view path;         // as on the request line
  std::string_view query;        // the same
  std::string_view host;         // as in Host, with the port if it is there
  std::string_view payload_hash; // hex of SHA-256, or kUnsignedPayload
  // Fields to be signed besides host and ours; what a middle box may change (connection, user-agent, accept-encoding,
  // x-amzn-trace-id ...) is left out by itself.
  const http::Headers* headers = nullptr;
};

// Signs for one region and service. Keeps the keys it derived (one a day and secret), so a signature costs one HMAC,
// not five. Loop thread only.
class Signer {
 public:
  Signer(std::string region, std::string service, PathRule rule, bool send_payload_hash)
      : region_(std::move(region)), service_(std::move(service)), rule_(rule), send_payload_hash_(send_payload_hash) {}

  // The fields to add to the request: x-amz-date, x-amz-security-token if there is one, x-amz-content-sha256 if asked
  // for (S3 needs it), authorization. Fields of these names in `request.headers` are replaced. Cannot fail.
  http::Headers sign(const SignRequest& request, const Credentials& credentials, WallTime now);

  const std::string& region() const noexcept { return region_; }

 private:
  const Digest& key_for(const Credentials& credentials, std::string_view date);

  std::string region_, service_;
  PathRule rule_;
  bool send_payload_hash_;
  std::unordered_map<std::string, Digest> keys_; // by date and secret
};

} // namespace verge::origin::aws
