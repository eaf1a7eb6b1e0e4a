// What the contexts of both sides have in common, and the reading of certificate files.
#pragma once

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/handle.h"
#include "proxy/base/result.h"

namespace verge::net {

using TlsContext = Handle<SSL_CTX, SSL_CTX_free>;
using Certificate = Handle<X509, X509_free>;

// TLS 1.2 and later with forward secrecy and AEAD only, no renegotiation, no compression, buffers given back when idle.
Result<TlsContext> make_context(const SSL_METHOD* method);
// Puts a chain (leaf first) and its key in. Error config: `what` names the file and the reason.
Result<> use_identity(SSL_CTX* context, const std::string& chain, const std::string& key);
// The whole file. Error config: `what` names it ("client CA /etc/ca.pem: No such file or directory").
Result<std::string> read_file(std::string_view role, const std::string& path);
// The first certificate in PEM `text`, which came from `path`.
Result<Certificate> first_certificate(const std::string& text, const std::string& path);
// What the certificate is for, lower case: the DNS names (also "*.example.com") and addresses of its subjectAltName, or
// its common name when it has no DNS name there (RFC 6125 section 6.4.4).
std::vector<std::string> names_of(const X509* certificate);

// ASCII lower case without a final dot.
std::string lower_name(std::string_view name);

} // namespace verge::net
