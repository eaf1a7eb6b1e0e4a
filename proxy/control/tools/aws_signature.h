// Checks a received request's Signature Version 4, header form; the counterpart of origin/aws/sigv4.h, by the same
// steps. Pure: the time is passed in. Source: the AWS General Reference, "Signing AWS API requests".
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/clock.h"
#include "proxy/http/message.h"

namespace verge::control {

// Why a request is not believed, in the words that AWS uses.
struct SignatureFault {
  int status = 403;
  std::string_view code; // "SignatureDoesNotMatch"
  std::string message;
};

struct SignatureCheck {
  std::string_view service; // that the scope must name; any region is taken
  Millis window{0};         // how far the request's time may be from ours, either way
  // The secret of a key id; none: unknown. The view lives until the check is over.
  std::function<std::optional<std::string_view>(std::string_view key_id)> secret_of;
};

struct Signed {
  std::string key_id;                  // who signed; where `fault` is set: who is said to have
  std::optional<SignatureFault> fault; // none: the signature is right
};

Signed check_signature(const http::RequestHead& head, std::string_view body, const SignatureCheck& check, WallTime now);

// "20130524T000000Z"; none: not of that form.
std::optional<WallTime> parse_amz_date(std::string_view text);

} // namespace verge::control
