// What a finished handshake agreed on, and OpenSSL's reasons, in words.
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "proxy/net/tls_session.h"

namespace verge::net {

namespace {

using Bio = Handle<BIO, BIO_free_all>;

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : std::string();
}

std::string name_text(const X509_NAME* name) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253) < 0) return {};
  return text_of(bio.get());
}

std::string time_text(const ASN1_TIME* time) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || ASN1_TIME_print(bio.get(), time) != 1) return {};
  return text_of(bio.get());
}

std::string serial_text(const X509* certificate) {
  const Handle<BIGNUM, BN_free> number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  if (!number) return {};
  char* hex = BN_bn2hex(number.get());
  std::string text(hex == nullptr ? "" : hex);
  OPENSSL_free(hex);
  return text;
}

std::string fingerprint_text(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) return {};
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    text += kDigits[digest[i] >> 4];
    text += kDigits[digest[i] & 15];
  }
  return text;
}

std::string pem_text(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), certificate) != 1) return {};
  return text_of(bio.get());
}

void fill_client(X509* certificate, TlsInfo& info) {
  info.client_subject = name_text(X509_get_subject_name(certificate));
  info.client_issuer = name_text(X509_get_issuer_name(certificate));
  info.client_serial = serial_text(certificate);
  info.client_fingerprint = fingerprint_text(certificate);
  info.client_cert_pem = pem_text(certificate);
  info.client_not_before = time_text(X509_get0_notBefore(certificate));
  info.client_not_after = time_text(X509_get0_notAfter(certificate));
}

std::string hint(SSL* ssl, long verify_result) {
  switch (verify_result) {
    case X509_V_ERR_HOSTNAME_MISMATCH: {
      const char* host = X509_VERIFY_PARAM_get0_host(SSL_get0_param(ssl), 0);
      return std::string("; the certificate does not name ") + (host == nullptr ? "the host" : host);
    }
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE: return "; set tls_ca to a file with the CA that issued it";
    default: return {};
  }
}

} // namespace

void fill_tls_info(SSL* ssl, TlsInfo& info) {
  info.version = SSL_get_version(ssl);
  if (const char* cipher = SSL_get_cipher_name(ssl); cipher != nullptr) info.cipher = cipher;
  const unsigned char* alpn = nullptr;
  unsigned alpn_size = 0;
  SSL_get0_alpn_selected(ssl, &alpn, &alpn_size);
  if (alpn_size > 0) info.alpn.assign(reinterpret_cast<const char*>(alpn), alpn_size);
  if (const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name); name != nullptr) {
    info.sni = name;
    std::ranges::transform(info.sni, info.sni.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  }
  info.resumed = SSL_session_reused(ssl) == 1;
  X509* certificate = SSL_is_server(ssl) == 1 ? SSL_get0_peer_certificate(ssl) : nullptr;
  if (certificate != nullptr && SSL_get_verify_result(ssl) == X509_V_OK) fill_client(certificate, info);
}

std::string tls_reason(SSL* ssl) {
  const unsigned long code = ERR_peek_last_error();
  std::string text;
  if (const char* reason = ERR_reason_error_string(code); code != 0 && reason != nullptr) text = reason;
  ERR_clear_error();
  if (text.empty()) text = "TLS failed without a reason";
  if (ssl == nullptr || ERR_GET_REASON(code) != SSL_R_CERTIFICATE_VERIFY_FAILED) return text;
  const long verified = SSL_get_verify_result(ssl);
  text += std::string(": ") + X509_verify_cert_error_string(verified);
  if (SSL_is_server(ssl) == 0) text += hint(ssl, verified);
  return text;
}

} // namespace verge::net
