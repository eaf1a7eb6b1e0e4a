// S3 requests: which object a client's path means, and what is sent to S3 for it. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/config.h"
#include "origin/pool/endpoint.h"
#include "proxy/base/result.h"
#include "proxy/http/message.h"

namespace verge::origin::aws {

// Where a bucket answers.
struct S3Location {
  HttpEndpoint endpoint;
  std::string path_prefix; // "" or "/bucket" (path style), after the endpoint's own prefix if it has one
};

// Path style with an endpoint of its own, or when the bucket's name has dots (a certificate's wildcard covers one
// label); else https://<bucket>.s3.<region>.amazonaws.com. Error config: bucket or region missing, endpoint malformed.
Result<S3Location> s3_location(const config::Origin& options);

// The key of the object that `path` (as sent, percent-encoded) means: `prefix` and the decoded path without its first
// slash, and `index` after a final slash. None when it can't be an object: a folder without index (S3 would list the
// bucket), "." or ".." as a segment (an S3-compatible server that resolves them would leave the prefix), an encoded
// slash (a second URL for the same object would be stored twice and purged once), NUL, or over 1,024 octets.
std::optional<std::string> s3_key(std::string_view path, std::string_view prefix, std::string_view index);

// What is sent: GET or HEAD of the key, with those conditions and the single byte range that S3 understands and nothing
// else of the client's. Range goes when If-Range is there (S3 ignores If-Range and would answer 206 for another
// version) and when it asks for several ranges (S3 has no multipart answers).
http::RequestHead s3_request(const http::RequestHead& client, const S3Location& location, std::string_view key);

} // namespace verge::origin::aws
