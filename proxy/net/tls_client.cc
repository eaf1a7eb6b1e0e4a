#include "proxy/net/tls_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <deque>
#include <mutex>
#include <unordered_map>

#include "proxy/net/system_roots.h"
#include "proxy/net/tls_context.h"
#include "proxy/net/tls_session.h"

namespace verge::net {

namespace {

using Session = Handle<SSL_SESSION, SSL_SESSION_free>;

constexpr size_t kSessionsPerName = 8;
constexpr size_t kNames = 1'024;

bool is_address(const std::string& name) noexcept {
  in6_addr ignored{};
  return inet_pton(AF_INET, name.c_str(), &ignored) == 1 || inet_pton(AF_INET6, name.c_str(), &ignored) == 1;
}

void free_name(void*, void* name, CRYPTO_EX_DATA*, int, long, void*) noexcept {
  delete static_cast<std::string*>(name);
}

// Under which name a connection's sessions are kept: a std::string owned by the SSL.
int name_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free_name);
  return index;
}

// "h2,http/1.1" as RFC 7301 section 3.1 puts it on the wire.
Result<std::string> alpn_wire(std::string_view list) {
  std::string wire;
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    const std::string_view one = list.substr(0, comma);
    if (one.empty() || one.size() > 255) return fail(Errc::config, "ALPN: a protocol name has 1 to 255 octets");
    wire += static_cast<char>(one.size());
    wire += one;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return wire;
}

class ClientTlsImpl final : public ClientTls {
 public:
  ~ClientTlsImpl() override {
    if (context_) SSL_CTX_sess_set_new_cb(context_.get(), nullptr); // an SSL may keep the context a little longer
  }
  Result<> build(const ClientTlsOptions& options);
  ssl_st* make_ssl(const std::string& server_name) const override;

 private:
  static int on_session(SSL* ssl, SSL_SESSION* session) noexcept;
  void keep(const std::string& name, Session session) const;
  Session take(const std::string& name) const;

  void trust_roots() const;

  TlsContext context_;
  bool verify_ = true;
  SystemRoots roots_; // not valid: the context has what it trusts
  mutable std::once_flag trusted_;
  mutable std::mutex mutex_; // guards sessions_
  mutable std::unordered_map<std::string, std::deque<Session>> sessions_;
};

Result<> ClientTlsImpl::build(const ClientTlsOptions& options) {
  auto made = make_context(TLS_client_method());
  if (!made) return std::unexpected(std::move(made.error()));
  context_ = std::move(*made);
  SSL_CTX* context = context_.get();
  verify_ = options.verify;
  if (!options.ca.empty()) {
    if (auto text = read_file("CA", options.ca); !text) return std::unexpected(std::move(text.error()));
    if (SSL_CTX_load_verify_file(context, options.ca.c_str()) != 1) {
      return fail(Errc::config, "CA " + options.ca + ": no PEM certificate: " + tls_reason(nullptr));
    }
  } else if (verify_) {
    roots_ = system_roots(); // by the first connection they are read
  }
  SSL_CTX_set_verify(context, verify_ ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (!options.certificate.empty()) {
    if (auto used = use_identity(context, options.certificate, options.key); !used) return used;
  }
  auto alpn = alpn_wire(options.alpn);
  if (!alpn) return std::unexpected(std::move(alpn.error()));
  if (!alpn->empty() && SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(alpn->data()),
                                                static_cast<unsigned>(alpn->size())) != 0) {
    return fail(Errc::config, "ALPN \"" + options.alpn + "\": " + tls_reason(nullptr));
  }
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, on_session);
  SSL_CTX_set_app_data(context, this);
  return {};
}

// Waits for them where they are still being read. Without them no certificate is trusted.
void ClientTlsImpl::trust_roots() const {
  if (const auto& store = roots_.get()) SSL_CTX_set1_cert_store(context_.get(), store.get());
}

ssl_st* ClientTlsImpl::make_ssl(const std::string& server_name) const {
  const std::string name = lower_name(server_name);
  ERR_clear_error();
  if (verify_ && name.empty()) return nullptr; // there is nothing to check the certificate against
  if (roots_.valid()) std::call_once(trusted_, [this] { trust_roots(); });
  Handle<SSL, SSL_free> ssl(SSL_new(context_.get()));
  if (!ssl) return nullptr;
  SSL_set_connect_state(ssl.get());
  X509_VERIFY_PARAM* param = SSL_get0_param(ssl.get());
  bool ok = true;
  if (is_address(name)) { // RFC 6066 section 3: no address in SNI
    ok = X509_VERIFY_PARAM_set1_ip_asc(param, name.c_str()) == 1;
  } else if (!name.empty()) {
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    ok = X509_VERIFY_PARAM_set1_host(param, name.c_str(), name.size()) == 1 &&
         SSL_set_tlsext_host_name(ssl.get(), name.c_str()) == 1;
  }
  if (!ok) return nullptr;
  auto kept_name = std::make_unique<std::string>(name);
  if (SSL_set_ex_data(ssl.get(), name_index(), kept_name.get()) == 1) {
    [[maybe_unused]] const std::string* owned = kept_name.release(); // free_name() frees it with the SSL
    if (const Session session = take(name)) SSL_set_session(ssl.get(), session.get());
  }
  return ssl.release();
}

int ClientTlsImpl::on_session(SSL* ssl, SSL_SESSION* session) noexcept {
  const auto* me = static_cast<const ClientTlsImpl*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  const auto* name = static_cast<const std::string*>(SSL_get_ex_data(ssl, name_index()));
  if (me == nullptr || name == nullptr) return 0;
  me->keep(*name, Session(session));
  return 1; // the reference is ours now
}

void ClientTlsImpl::keep(const std::string& name, Session session) const {
  if (SSL_SESSION_is_resumable(session.get()) != 1) return;
  const std::lock_guard lock(mutex_);
  if (sessions_.size() >= kNames && !sessions_.contains(name)) sessions_.erase(sessions_.begin());
  auto& kept = sessions_[name];
  if (kept.size() >= kSessionsPerName) kept.pop_front();
  kept.push_back(std::move(session));
}

Session ClientTlsImpl::take(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto it = sessions_.find(name);
  if (it == sessions_.end() || it->second.empty()) return nullptr;
  Session& newest = it->second.back();
  if (SSL_SESSION_get_protocol_version(newest.get()) < TLS1_3_VERSION) {
    SSL_SESSION_up_ref(newest.get());
    return Session(newest.get());
  }
  // A TLS 1.3 ticket is used once: RFC 8446 appendix C.4.
  Session taken = std::move(newest);
  it->second.pop_back();
  if (it->second.empty()) sessions_.erase(it);
  return taken;
}

} // namespace

Result<std::shared_ptr<ClientTls>> ClientTls::create(const ClientTlsOptions& options) {
  auto made = std::make_shared<ClientTlsImpl>();
  if (auto built = made->build(options); !built) return std::unexpected(std::move(built.error()));
  return made;
}

} // namespace verge::net
