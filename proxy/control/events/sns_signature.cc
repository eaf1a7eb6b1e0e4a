#include "proxy/control/events/sns_signature.h"

#include <fmt/core.h>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <optional>

#include "proxy/base/handle.h"

namespace verge::control {
namespace {

constexpr int kLeastKeyBits = 2048;

// What OpenSSL leaves behind would be taken for a fault of the next TLS connection on this thread.
struct NoErrorsLeft {
  NoErrorsLeft() = default;
  NoErrorsLeft(const NoErrorsLeft&) = delete;
  NoErrorsLeft& operator=(const NoErrorsLeft&) = delete;
  ~NoErrorsLeft() { ERR_clear_error(); }
};

std::unexpected<Error> refuse(std::string what) { return fail(Errc::refused, std::move(what), Side::client); }

bool is_base64(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

// Strict: whole groups of four, padding only at the end. `text` without white space.
std::optional<std::vector<unsigned char>> decode_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  size_t padding = 0;
  while (padding < 2 && text[text.size() - 1 - padding] == '=') ++padding;
  const auto body = text.substr(0, text.size() - padding);
  if (!std::all_of(body.begin(), body.end(), is_base64)) return std::nullopt;
  std::vector<unsigned char> out(text.size() / 4 * 3);
  const int n =
      EVP_DecodeBlock(out.data(), reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (n < 0) return std::nullopt;
  out.resize(static_cast<size_t>(n) - padding);
  return out;
}

std::string_view strip(std::string_view s) {
  constexpr std::string_view kWhite = " \t\r\n";
  const size_t first = s.find_first_not_of(kWhite);
  if (first == std::string_view::npos) return {};
  return s.substr(first, s.find_last_not_of(kWhite) - first + 1);
}

} // namespace

Result<std::shared_ptr<const SigningCertificate>> SigningCertificate::parse(std::string_view pem,
                                                                            const std::vector<std::string>& names) {
  const NoErrorsLeft clean;
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----\n", kEnd = "\n-----END CERTIFICATE-----";
  std::string_view text = strip(pem);
  if (!text.starts_with(kBegin) || !text.ends_with(kEnd) || text.size() < kBegin.size() + kEnd.size()) {
    return refuse("the signing certificate is not one PEM block");
  }
  text = text.substr(kBegin.size(), text.size() - kBegin.size() - kEnd.size());
  std::string body;
  for (const char c : text) {
    if (c != '\n') body += c;
  }
  const auto der = decode_base64(body);
  if (!der) return refuse("the signing certificate is not one PEM block");
  const unsigned char* at = der->data();
  x509_st* raw = d2i_X509(nullptr, &at, static_cast<long>(der->size()));
  if (raw == nullptr) return refuse("the signing certificate is not X.509");
  std::shared_ptr<const SigningCertificate> out(new SigningCertificate(raw));
  if (at != der->data() + der->size()) return refuse("the signing certificate has octets behind it");
  const EVP_PKEY* key = X509_get0_pubkey(raw);
  if (key == nullptr || EVP_PKEY_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_bits(key) < kLeastKeyBits) {
    return refuse(fmt::format("the signing certificate's key is not RSA of at least {} bits", kLeastKeyBits));
  }
  const auto carries = [raw](const std::string& name) {
    return X509_check_host(raw, name.data(), name.size(), X509_CHECK_FLAG_NO_WILDCARDS, nullptr) == 1;
  };
  if (!names.empty() && std::none_of(names.begin(), names.end(), carries)) {
    return refuse(fmt::format("the signing certificate is not for {}", names.front()));
  }
  return out;
}

SigningCertificate::~SigningCertificate() { X509_free(certificate_); }

bool SigningCertificate::valid_at(WallTime now) const {
  const auto t = static_cast<std::time_t>(std::chrono::floor<Seconds>(now).time_since_epoch().count());
  const int begin = ASN1_TIME_cmp_time_t(X509_get0_notBefore(certificate_), t);
  return (begin == -1 || begin == 0) &&
         ASN1_TIME_cmp_time_t(X509_get0_notAfter(certificate_), t) >= 0; // -2: not a time
}

Result<> SigningCertificate::verify(const SnsMessage& message) const {
  const NoErrorsLeft clean;
  const auto signature = decode_base64(message.signature);
  if (!signature) return refuse("the signature is not base64");
  if (message.signature_version != "1" && message.signature_version != "2") {
    return refuse(fmt::format("SignatureVersion \"{}\" is not known", message.signature_version.substr(0, 40)));
  }
  const EVP_MD* digest = message.signature_version == "2" ? EVP_sha256() : EVP_sha1();
  const std::string text = string_to_sign(message);
  const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  EVP_PKEY* key = X509_get0_pubkey(certificate_);
  if (!context || EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key) != 1) {
    return fail(Errc::internal,
                fmt::format("OpenSSL's policy on this machine forbids {} signatures{}", EVP_MD_get0_name(digest),
                            message.signature_version == "1" ? "; set the topic's SignatureVersion to 2" : ""));
  }
  if (EVP_DigestVerify(context.get(), signature->data(), signature->size(),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size()) != 1) {
    return refuse("the signature does not match the message");
  }
  return {};
}

} // namespace verge::control
