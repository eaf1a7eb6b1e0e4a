#include "proxy/net/verified_chains.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <ctime>
#include <limits>

#include "proxy/base/metrics.h"

namespace verge::net {

namespace {

using Digest = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;

constexpr const char* kVerifiedHelp = "Client certificates that were good, by what told so.";
metrics::Counter g_from_chain("verge_tls_client_verified_total", "from=\"chain\"", kVerifiedHelp);
metrics::Counter g_from_memory("verge_tls_client_verified_total", "from=\"memory\"", kVerifiedHelp);

constexpr int64_t kLongAgo = 1;

// Where a session keeps the end of its chain's time. OpenSSL copies it to the sessions made from it.
int ends_index() {
  static const int index = SSL_SESSION_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

int64_t seconds_of(const ASN1_TIME* time, int64_t otherwise) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? static_cast<int64_t>(::timegm(&parts)) : otherwise;
}

int64_t now_of(const Clock& clock) {
  return std::chrono::floor<std::chrono::seconds>(clock.wall()).time_since_epoch().count();
}

} // namespace

VerifiedChains::VerifiedChains(size_t most, const Clock& clock)
    : clock_(clock), sha256_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), good_(most) {}

void VerifiedChains::use_in(SSL_CTX* context) { SSL_CTX_set_cert_verify_callback(context, on_verify, this); }

std::optional<int64_t> VerifiedChains::ends(const SSL_SESSION* session) {
  const auto* held = static_cast<const char*>(SSL_SESSION_get_ex_data(session, ends_index()));
  if (held == nullptr) return {};
  return static_cast<int64_t>(reinterpret_cast<intptr_t>(held));
}

int VerifiedChains::on_verify(X509_STORE_CTX* check, void* self) noexcept {
  return static_cast<VerifiedChains*>(self)->verify(check) ? 1 : 0;
}

bool VerifiedChains::verify(X509_STORE_CTX* check) {
  const int64_t now = now_of(clock_);
  const auto key = digest(check);
  auto window = key ? good_.find(*key) : std::nullopt;
  if (window && window->from <= now && now < window->until) {
    g_from_memory.add();
    X509_STORE_CTX_set_error(check, X509_V_OK);
  } else {
    if (window) good_.erase(*key);
    X509_STORE_CTX_set_time(check, 0, static_cast<time_t>(now));
    const int verdict = X509_verify_cert(check);
    if (verdict != 1 || X509_STORE_CTX_get_error(check) != X509_V_OK) {
      if (X509_STORE_CTX_get_error(check) == X509_V_OK) X509_STORE_CTX_set_error(check, X509_V_ERR_UNSPECIFIED);
      return false;
    }
    g_from_chain.add();
    window = window_of(check);
    if (key) good_.put(*key, *window);
  }
  auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(check, SSL_get_ex_data_X509_STORE_CTX_idx()));
  return SSL_SESSION_set_ex_data(SSL_get_session(ssl), ends_index(),
                                 reinterpret_cast<void*>(static_cast<intptr_t>(window->until))) == 1;
}

// Of all that the client sent, in its order: the same leaf beside other intermediates may be another chain.
std::optional<Octets32> VerifiedChains::digest(X509_STORE_CTX* check) const {
  const auto* shown = X509_STORE_CTX_get0_untrusted(check); // the leaf comes first
  const Digest all(EVP_MD_CTX_new());
  if (!all || EVP_DigestInit_ex(all.get(), sha256_.get(), nullptr) != 1) return {};
  Octets32 out{};
  for (int i = 0; i < sk_X509_num(shown); ++i) {
    if (X509_digest(sk_X509_value(shown, i), sha256_.get(), out.data(), nullptr) != 1) return {};
    if (EVP_DigestUpdate(all.get(), out.data(), out.size()) != 1) return {};
  }
  if (EVP_DigestFinal_ex(all.get(), out.data(), nullptr) != 1) return {};
  return out;
}

VerifiedChains::Window VerifiedChains::window_of(X509_STORE_CTX* check) {
  const auto* chain = X509_STORE_CTX_get0_chain(check); // as built and checked, up to the CA
  Window window{std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()};
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    const X509* certificate = sk_X509_value(chain, i);
    // A time that can't be read lets nothing be remembered.
    window.from = std::max(window.from, seconds_of(X509_get0_notBefore(certificate), window.until));
    window.until = std::min(window.until, seconds_of(X509_get0_notAfter(certificate), kLongAgo));
  }
  window.until = std::max(window.until, kLongAgo); // ends() tells it from nothing
  return window;
}

} // namespace verge::net
