// The signing certificate and the signature of an SNS message. Pure but for OpenSSL.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"
#include "proxy/control/events/sns_message.h"

struct x509_st;

namespace verge::control {

// A signing certificate that has been found good. Immutable; shared.
class SigningCertificate {
 public:
  // `pem` must be one certificate and nothing else: OpenSSL would skip text around it, and text that SNS can be made to
  // answer with (an error page that quotes the attacker) must not become a key. `names`: one of them must be a name of
  // the certificate; empty: any. Error refused: says which check failed.
  static Result<std::shared_ptr<const SigningCertificate>> parse(std::string_view pem,
                                                                 const std::vector<std::string>& names);
  ~SigningCertificate();
  SigningCertificate(const SigningCertificate&) = delete;
  SigningCertificate& operator=(const SigningCertificate&) = delete;
  bool valid_at(WallTime now) const; // notBefore <= now <= notAfter
  // Error refused: the signature is not base64, of an unknown version, or not this certificate's over this message;
  // internal: OpenSSL is set up to allow no SHA-1 (version 1).
  Result<> verify(const SnsMessage& message) const;

 private:
  explicit SigningCertificate(x509_st* owned) : certificate_(owned) {}
  x509_st* certificate_;
};

} // namespace verge::control
