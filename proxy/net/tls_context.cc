#include "proxy/net/tls_context.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "proxy/net/tls_session.h"

namespace verge::net {

namespace {

using Bio = Handle<BIO, BIO_free_all>;
using GeneralNames = Handle<GENERAL_NAMES, GENERAL_NAMES_free>;

// A key under a passphrase is an error, not a question on the operator's terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

std::string text_of(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<size_t>(ASN1_STRING_length(string))};
}

std::string address_of(const ASN1_OCTET_STRING* octets) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int size = ASN1_STRING_length(octets);
  if (size != 4 && size != 16) return {};
  inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(octets), text.data(), text.size());
  return text.data();
}

std::string common_name(const X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  return text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

} // namespace

Result<TlsContext> make_context(const SSL_METHOD* method) {
  TlsContext context(SSL_CTX_new(method));
  if (!context) return fail(Errc::internal, "TLS context: " + tls_reason(nullptr));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                         SSL_OP_PRIORITIZE_CHACHA);
  // AUTO_CHAIN would search a chain anew in every handshake when the file holds the leaf alone.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
  if (SSL_CTX_set_cipher_list(context.get(), "ECDHE+AESGCM:ECDHE+CHACHA20") != 1 ||
      SSL_CTX_set_ciphersuites(context.get(),
                               "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                               "TLS_CHACHA20_POLY1305_SHA256") != 1 ||
      SSL_CTX_set1_groups_list(context.get(), "X25519:P-256:P-384") != 1) {
    return fail(Errc::internal, "TLS context: " + tls_reason(nullptr));
  }
  SSL_CTX_set_default_passwd_cb(context.get(), no_passphrase);
  return context;
}

Result<> use_identity(SSL_CTX* context, const std::string& chain, const std::string& key) {
  ERR_clear_error();
  if (auto readable = read_file("certificate", chain); !readable) return std::unexpected(std::move(readable.error()));
  if (auto readable = read_file("key", key); !readable) return std::unexpected(std::move(readable.error()));
  if (SSL_CTX_use_certificate_chain_file(context, chain.c_str()) != 1) {
    return fail(Errc::config, "certificate " + chain + ": no usable PEM certificate chain: " + tls_reason(nullptr));
  }
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    const int reason = ERR_GET_REASON(ERR_peek_last_error());
    const std::string text = tls_reason(nullptr);
    if (reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH) {
      return fail(Errc::config, "key " + key + " does not belong to certificate " + chain);
    }
    return fail(Errc::config, "key " + key + ": no usable PEM key without a passphrase: " + text);
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    ERR_clear_error();
    return fail(Errc::config, "key " + key + " does not belong to certificate " + chain);
  }
  return {};
}

Result<std::string> read_file(std::string_view role, const std::string& path) {
  const auto cannot = [&] { return fail(Errc::config, std::string(role) + " " + path + ": " + std::strerror(errno)); };
  const Handle<FILE, std::fclose> file(std::fopen(path.c_str(), "re"));
  if (!file) return cannot();
  std::string text;
  std::array<char, 8'192> part{};
  while (const size_t n = std::fread(part.data(), 1, part.size(), file.get())) text.append(part.data(), n);
  if (std::ferror(file.get()) != 0) return cannot();
  return text;
}

Result<Certificate> first_certificate(const std::string& text, const std::string& path) {
  ERR_clear_error();
  const Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  Certificate certificate(bio ? PEM_read_bio_X509_AUX(bio.get(), nullptr, no_passphrase, nullptr) : nullptr);
  if (!certificate) return fail(Errc::config, "certificate " + path + ": no PEM certificate: " + tls_reason(nullptr));
  return certificate;
}

std::vector<std::string> names_of(const X509* certificate) {
  std::vector<std::string> names;
  bool dns = false;
  const GeneralNames entries(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; entries && i < sk_GENERAL_NAME_num(entries.get()); ++i) {
    const GENERAL_NAME* entry = sk_GENERAL_NAME_value(entries.get(), i);
    std::string name;
    if (entry->type == GEN_DNS) {
      name = lower_name(text_of(entry->d.dNSName));
      dns = true;
    } else if (entry->type == GEN_IPADD) {
      name = address_of(entry->d.iPAddress);
    }
    // A name with a NUL inside was made to be misread.
    if (!name.empty() && name.find('\0') == std::string::npos) names.push_back(std::move(name));
  }
  if (!dns) {
    std::string name = lower_name(common_name(certificate));
    if (!name.empty() && name.find('\0') == std::string::npos) names.push_back(std::move(name));
  }
  return names;
}

std::string lower_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string text(name);
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

} // namespace verge::net
