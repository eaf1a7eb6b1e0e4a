#include "proxy/control/sns_signature.h"

#include <fmt/core.h>
#include <openssl/bio.h>
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
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----\n", kEnd = "-----END CERTIFICATE-----";
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
    return X509_check_host(raw, name.data(), name.size(), 0, nullptr) == 1;
  };
  if (!names.empty() && std::none_of(names.begin(), names.end(), carries)) {
    return refuse(fmt::format("the signing certificate is not for {}", names.front()));
  }
  return out;
}

SigningCertificate::~SigningCertificate() { X509_free(certificate_); }

bool SigningCertificate::valid_at(WallTime now) const {
  std::time_t t = std::chrono::duration_cast<Seconds>(now.time_since_epoch()).count();
  return X509_cmp_time(X509_get0_notBefore(certificate_), &t) <= 0 &&
         X509_cmp_time(X509_get0_notAfter(certificate_), &t) >= 0;
}

Result<> SigningCertificate::verify(const SnsMessage& message) const {
  const auto signature = decode_base64(message.signature);
  if (!signature) return refuse("the signature is not base64");
  const EVP_MD* digest = message.signature_version == "2" ? EVP_sha256() : EVP_sha1();
  const std::string text = string_to_sign(message);
  const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  EVP_PKEY* key = X509_get0_pubkey(certificate_);
  if (!context || EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key) != 1) {
    return fail(Errc::internal, "OpenSSL refuses the digest of the signature");
  }
  if (EVP_DigestVerify(context.get(), signature->data(), signature->size(),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size()) != 1) {
    return refuse("the signature does not match the message");
  }
  return {};
}

} // namespace verge::control
