// What a function's answer means as an HTTP response: payload format 2.0, and the Invoke API's own words. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/http/message.h"

namespace verge::origin::aws {

struct LambdaAnswer {
  http::ResponseHead head;           // content_length filled in
  std::string body;                  // empty for HEAD and for a status without body
  std::vector<std::string> warnings; // what was left out of the answer, and why
};

// A function's return value. With "statusCode" it is a response; any other JSON is the body of a 200 with type
// application/json, a text without its quotes. Field names and values that can't be sent are left out, hop-by-hop
// fields too; the length is counted anew. Error bad_input, side origin: not JSON, not UTF-8, nested deeper than 200, a
// status that is none, a body that is not Base64 though it says so.
Result<LambdaAnswer> parse_lambda_payload(std::string_view payload, std::string_view method);

// The Invoke API's answer. X-Amz-Function-Error and what the service refuses become errors with side origin (timeout
// for a function that took too long) that name the error's type and never quote its message; 429 becomes a 503 with the
// Retry-After it had; 413 is the client's (too_large). Retry if_idempotent: the service failed, not the function.
Result<LambdaAnswer> lambda_answer(const http::ResponseHead& from_lambda, std::string_view body,
                                   std::string_view function, std::string_view method);

} // namespace verge::origin::aws
