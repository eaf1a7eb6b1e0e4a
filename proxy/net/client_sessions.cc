#include "proxy/net/client_sessions.h"

#include <algorithm>
#include <chrono>

#include "proxy/net/verified_chains.h"

namespace verge::net {

namespace {

// Where a context holds its ClientSessions.
int context_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

ClientSessions* of(SSL* ssl) {
  return static_cast<ClientSessions*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), context_index()));
}

std::optional<Octets32> key_of(const unsigned char* id, size_t size) {
  Octets32 key{};
  if (size != key.size()) return {};
  std::copy_n(id, size, key.begin());
  return key;
}

} // namespace

void ClientSessions::use_in(SSL_CTX* context) {
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET); // TLS 1.3 then gives out a session's id in place of a ticket
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_num_tickets(context, kept_.most() == 0 ? 0 : 1);
  SSL_CTX_set_ex_data(context, context_index(), this);
  SSL_CTX_sess_set_new_cb(context, on_new);
  SSL_CTX_sess_set_get_cb(context, on_get);
}

// 1: the session is ours now.
int ClientSessions::on_new(SSL* ssl, SSL_SESSION* session) noexcept {
  unsigned size = 0;
  const unsigned char* id = SSL_SESSION_get_id(session, &size);
  const auto key = key_of(id, size);
  if (!key) return 0;
  of(ssl)->kept_.put(*key, std::shared_ptr<SSL_SESSION>(session, SSL_SESSION_free));
  return 1;
}

SSL_SESSION* ClientSessions::on_get(SSL* ssl, const unsigned char* id, int size, int* copy) noexcept {
  *copy = 0; // counted below
  ClientSessions& me = *of(ssl);
  const auto key = key_of(id, static_cast<size_t>(size));
  const auto found = key ? me.kept_.find(*key) : std::nullopt;
  if (!found) return nullptr;
  // A certificate that ran out since the first handshake must be shown anew, and will fail.
  const auto ends = VerifiedChains::ends(found->get());
  if (ends && me.clock_.wall() >= WallTime(std::chrono::seconds(*ends))) {
    me.kept_.erase(*key);
    return nullptr;
  }
  SSL_SESSION_up_ref(found->get());
  return found->get();
}

} // namespace verge::net
