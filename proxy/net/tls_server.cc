#include "proxy/net/tls_server.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>

#include "proxy/net/client_sessions.h"
#include "proxy/net/tls_context.h"
#include "proxy/net/tls_session.h"
#include "proxy/net/verified_chains.h"

namespace verge::net {

namespace {

using Md = Handle<EVP_MD, EVP_MD_free>;
using Store = Handle<X509_STORE, X509_STORE_free>;

constexpr std::string_view kOfferH2 = "\x02h2\x08http/1.1";
constexpr std::string_view kOfferH1 = "\x08http/1.1";

// The host name a ClientHello asks for (RFC 6066 section 3), or empty.
std::string asked_name(SSL* ssl) {
  const unsigned char* data = nullptr;
  size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &data, &size) != 1) return {};
  const auto at = [&](size_t i) { return static_cast<size_t>(data[i]); };
  // list length (2), type (1), name length (2), name; only one name of a type is allowed
  if (size < 5 || (at(0) << 8 | at(1)) != size - 2 || at(2) != TLSEXT_NAMETYPE_host_name) return {};
  const size_t length = at(3) << 8 | at(4);
  if (length == 0 || length > size - 5 || length > 255) return {};
  const std::string_view name(reinterpret_cast<const char*>(data) + 5, length);
  if (name.find('\0') != std::string_view::npos) return {};
  return lower_name(name);
}

class ServerTlsImpl final : public ServerTls {
 public:
  Result<> build(const ServerTlsOptions& options);
  ssl_st* make_ssl() const override {
    SSL* ssl = SSL_new(sites_.front().context.get());
    if (ssl != nullptr) SSL_set_accept_state(ssl);
    return ssl;
  }
  bool covers(std::string_view host) const override { return site_for(lower_name(host)) != nullptr; }

 private:
  // Certificates for the same names, at most one per kind of key (RSA, ECDSA): OpenSSL picks by what the client knows.
  struct Site {
    TlsContext context;
    std::vector<std::string> names; // sorted
    std::vector<int> key_kinds;
  };

  Result<> add(const ServerTlsOptions& options, const ServerTlsOptions::Certificate& files);
  Result<TlsContext> make_site_context(const ServerTlsOptions& options);
  SSL_CTX* site_for(const std::string& host) const;
  bool bind_session(SSL* ssl, const std::string& name) const;
  std::string digest(const std::string& of) const;

  static int on_client_hello(SSL* ssl, int* alert, void* self) noexcept;
  static int on_server_name(SSL*, int*, void*) noexcept { return SSL_TLSEXT_ERR_OK; } // chosen above; says so
  static int on_alpn(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                     unsigned in_size, void* self) noexcept;
  static SSL_TICKET_RETURN on_ticket(SSL* ssl, SSL_SESSION* session, const unsigned char*, size_t,
                                     SSL_TICKET_STATUS status, void*) noexcept;

  Store client_ca_;
  std::optional<VerifiedChains> chains_;   // with client_auth
  std::optional<ClientSessions> sessions_; // none: tickets
  std::vector<Site> sites_;                // never empty; the first is for clients that ask for no name of ours
  std::unordered_map<std::string, SSL_CTX*> exact_;
  std::unordered_map<std::string, SSL_CTX*> wildcard_; // "example.com" for "*.example.com"
  std::string_view offer_ = kOfferH1;
  Md sha256_;
  std::string client_settings_; // SHA-256 of what a session is bound to besides the name
};

Result<> ServerTlsImpl::build(const ServerTlsOptions& options) {
  if (options.certificates.empty()) return fail(Errc::config, "TLS needs a certificate");
  if (options.min_version != "1.2" && options.min_version != "1.3") {
    return fail(Errc::config, "TLS min_version \"" + options.min_version + "\": must be \"1.2\" or \"1.3\"");
  }
  offer_ = options.http2 ? kOfferH2 : kOfferH1;
  sha256_.reset(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  if (!sha256_) return fail(Errc::internal, "TLS: OpenSSL has no SHA-256: " + tls_reason(nullptr));

  static const SystemClock system_clock;
  const Clock& clock = options.clock != nullptr ? *options.clock : system_clock;
  std::string settings = std::to_string(static_cast<int>(options.client_auth)) + "/" + options.min_version + "/";
  if (options.client_auth != ClientAuth::off) {
    if (options.client_ca.empty())
      return fail(Errc::config, "client certificates are asked for, but no client CA is set");
    auto ca = read_file("client CA", options.client_ca);
    if (!ca) return std::unexpected(std::move(ca.error()));
    settings += *ca;
    client_ca_.reset(X509_STORE_new());
    if (!client_ca_ || X509_STORE_load_file(client_ca_.get(), options.client_ca.c_str()) != 1) {
      return fail(Errc::config, "client CA " + options.client_ca + ": no PEM certificate: " + tls_reason(nullptr));
    }
    chains_.emplace(options.verified_chains, clock);
  }
  // Without a certificate in it a session may be in a ticket as well.
  if (options.sessions > 0 || options.client_auth != ClientAuth::off) sessions_.emplace(options.sessions, clock);
  client_settings_ = digest(settings);
  if (client_settings_.empty()) return fail(Errc::internal, "TLS: OpenSSL does no SHA-256: " + tls_reason(nullptr));
  for (const auto& files : options.certificates) {
    if (auto added = add(options, files); !added) return added;
  }
  return {};
}

Result<> ServerTlsImpl::add(const ServerTlsOptions& options, const ServerTlsOptions::Certificate& files) {
  auto text = read_file("certificate", files.chain);
  if (!text) return std::unexpected(std::move(text.error()));
  auto leaf = first_certificate(*text, files.chain);
  if (!leaf) return std::unexpected(std::move(leaf.error()));
  std::vector<std::string> names = names_of(leaf->get());
  std::ranges::sort(names);
  const int kind = EVP_PKEY_get_base_id(X509_get0_pubkey(leaf->get()));

  for (Site& site : sites_) {
    if (site.names != names || std::ranges::find(site.key_kinds, kind) != site.key_kinds.end()) continue;
    site.key_kinds.push_back(kind);
    return use_identity(site.context.get(), files.chain, files.key);
  }
  auto context = make_site_context(options);
  if (!context) return std::unexpected(std::move(context.error()));
  if (auto used = use_identity(context->get(), files.chain, files.key); !used) return used;
  for (const std::string& name : names) { // the first certificate for a name keeps it
    if (name.starts_with("*.")) {
      wildcard_.emplace(name.substr(2), context->get());
    } else {
      exact_.emplace(name, context->get());
    }
  }
  sites_.push_back({std::move(*context), std::move(names), {kind}});
  return {};
}

Result<TlsContext> ServerTlsImpl::make_site_context(const ServerTlsOptions& options) {
  auto made = make_context(TLS_server_method());
  if (!made) return made;
  SSL_CTX* context = made->get();
  if (options.min_version == "1.3") SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); // tickets, unless sessions are kept
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_client_hello_cb(context, on_client_hello, this);
  SSL_CTX_set_tlsext_servername_callback(context, on_server_name);
  SSL_CTX_set_alpn_select_cb(context, on_alpn, this);
  SSL_CTX_set_session_ticket_cb(context, nullptr, on_ticket, this);
  if (sessions_) sessions_->use_in(context);
  if (options.client_auth == ClientAuth::off) return made;

  SSL_CTX_set1_verify_cert_store(context, client_ca_.get());
  auto* names = SSL_load_client_CA_file(options.client_ca.c_str());
  if (names == nullptr) {
    return fail(Errc::config, "client CA " + options.client_ca + ": no PEM certificate: " + tls_reason(nullptr));
  }
  SSL_CTX_set_client_CA_list(context, names);
  const int demand = options.client_auth == ClientAuth::required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | demand, nullptr);
  chains_->use_in(context);
  return made;
}

SSL_CTX* ServerTlsImpl::site_for(const std::string& host) const {
  if (const auto it = exact_.find(host); it != exact_.end()) return it->second;
  const size_t dot = host.find('.');
  if (dot == std::string::npos || dot == 0) return nullptr;
  const auto it = wildcard_.find(host.substr(dot + 1)); // a star stands for one label: RFC 6125 section 6.4.3
  return it == wildcard_.end() ? nullptr : it->second;
}

// A ticket is good only under the name and the client-certificate settings it was given out for; else one got where no
// certificate is asked would open the door where one is (CVE-2025-23419). OpenSSL makes a full handshake when the
// session's context differs, in TLS 1.2 and 1.3 alike.
bool ServerTlsImpl::bind_session(SSL* ssl, const std::string& name) const {
  const std::string bound = digest(client_settings_ + name);
  return !bound.empty() && SSL_set_session_id_context(ssl, reinterpret_cast<const unsigned char*>(bound.data()),
                                                      static_cast<unsigned>(bound.size())) == 1;
}

// SHA-256 as 32 octets; empty when OpenSSL fails.
std::string ServerTlsImpl::digest(const std::string& of) const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  if (EVP_Digest(of.data(), of.size(), out.data(), &size, sha256_.get(), nullptr) != 1) return {};
  return {reinterpret_cast<const char*>(out.data()), size};
}

int ServerTlsImpl::on_client_hello(SSL* ssl, int* alert, void* self) noexcept {
  const auto& me = *static_cast<const ServerTlsImpl*>(self);
  const std::string name = asked_name(ssl);
  SSL_CTX* context = me.site_for(name);
  if (context != nullptr && context != SSL_get_SSL_CTX(ssl)) SSL_set_SSL_CTX(ssl, context);
  if (!me.bind_session(ssl, name)) {
    *alert = SSL_AD_INTERNAL_ERROR;
    return SSL_CLIENT_HELLO_ERROR;
  }
  return SSL_CLIENT_HELLO_SUCCESS;
}

int ServerTlsImpl::on_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                           unsigned in_size, void* self) noexcept {
  const std::string_view offer = static_cast<const ServerTlsImpl*>(self)->offer_;
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const unsigned char*>(offer.data()),
                            static_cast<unsigned>(offer.size()), in, in_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK; // no common protocol: HTTP/1.1 without ALPN
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

// Each use renews the ticket. Sessions with a client's certificate are in no ticket: see ClientSessions.
SSL_TICKET_RETURN ServerTlsImpl::on_ticket(SSL*, SSL_SESSION*, const unsigned char*, size_t, SSL_TICKET_STATUS status,
                                           void*) noexcept {
  if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) return SSL_TICKET_RETURN_IGNORE_RENEW;
  return SSL_TICKET_RETURN_USE_RENEW;
}

} // namespace

Result<std::shared_ptr<ServerTls>> ServerTls::create(const ServerTlsOptions& options) {
  auto made = std::make_shared<ServerTlsImpl>();
  if (auto built = made->build(options); !built) return std::unexpected(std::move(built.error()));
  return made;
}

} // namespace verge::net
