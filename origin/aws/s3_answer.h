// S3 answers: what a client may see of them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/log.h"
#include "proxy/base/result.h"
#include "proxy/http/message.h"

namespace verge::origin::aws {

// What S3 says in the XML body of an error. Empty texts where it says nothing.
struct S3Fault {
  std::string code;               // "NoSuchKey"
  std::string message;            // for the log only
  std::string region;             // with AuthorizationHeaderMalformed
  std::string actual_object_size; // with InvalidRange
};

// True if the answer's body is S3's own word, to be read by s3_fault() and never handed on: 3xx but 304, 4xx, 5xx.
constexpr bool is_s3_fault(int status) noexcept { return status >= 300 && status != 304; }
// The XML error in `body`; everything empty when it is none (HEAD has no body).
S3Fault s3_fault(std::string_view body);

// The head for clients of an answer that is not a fault: only the fields that belong to the object. An object with
// x-amz-website-redirect-location becomes a 301 without body; `redirect` tells so.
struct S3Head {
  http::ResponseHead head;
  bool redirect = false;
};
S3Head s3_head(const http::ResponseHead& from_s3);

// What becomes of a fault: an answer of ours in place of the XML, or an error (side origin) whose text says how to mend
// it. `warning` is not empty when the operator should look at an answer that may also be in order.
struct S3Verdict {
  http::ResponseHead head;
  std::string body; // empty for HEAD; head.content_length is what GET has
  std::string warning;
};
Result<S3Verdict> s3_verdict(const http::ResponseHead& from_s3, const S3Fault& fault, std::string_view method,
                             std::string_view bucket);
// The 404 for a path that can't be an object.
S3Verdict s3_not_found(std::string_view method);

} // namespace verge::origin::aws
