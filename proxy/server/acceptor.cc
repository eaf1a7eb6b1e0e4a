#include "proxy/server/acceptor.h"

#include <unistd.h>

#include "proxy/base/log.h"
#include "proxy/base/metrics.h"

namespace verge::server {
namespace {

metrics::Counter g_accepted("verge_connections_total", "", "Client connections accepted.");
metrics::Counter g_refused("verge_connections_refused_total", "", "Client connections closed at limits.connections.");
metrics::Counter g_ended("verge_connections_ended_total", "", "Client connections that have ended.");
metrics::Gauge g_open("verge_connections_open", "", "Client connections open now.",
                      [] { return static_cast<double>(g_accepted.value() - g_ended.value()); });

} // namespace

Acceptor::Acceptor(net::EventLoop& loop, int fd) : loop_(loop) {
  listener_ = std::make_unique<net::Listener>(
      loop, fd, [this](int client, std::string address, uint16_t port) { accept(client, std::move(address), port); });
}

Acceptor::~Acceptor() { g_ended.add(connections_.size()); }

void Acceptor::use(std::shared_ptr<net::ServerTls> tls, bool client_auth,
                   std::shared_ptr<const ConnectionSettings> settings) {
  tls_ = std::move(tls);
  client_auth_ = client_auth;
  settings_ = std::move(settings);
}

void Acceptor::accept(int fd, std::string address, uint16_t port) {
  if (!settings_ || connections_.size() >= settings_->times.connections) {
    g_refused.add();
    ::close(fd);
    return;
  }
  g_accepted.add();
  auto connection = std::make_unique<ClientConnection>(loop_, fd, std::move(address), port, tls_, client_auth_,
                                                       settings_, [this](ClientConnection* c) {
                                                         g_ended.add();
                                                         connections_.erase(c);
                                                       });
  auto* key = connection.get();
  connections_.emplace(key, std::move(connection));
}

void Acceptor::drain() {
  listener_.reset();
  for (auto& [key, connection] : connections_) connection->drain();
}

} // namespace verge::server
