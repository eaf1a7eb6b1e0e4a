// Acceptor: one listening address on one loop, and the connections it took. Loop thread only.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "proxy/net/listener.h"
#include "proxy/net/tls_server.h"
#include "proxy/server/client_connection.h"

namespace verge::server {

class Acceptor {
 public:
  Acceptor(net::EventLoop& loop, int fd);
  ~Acceptor();
  // For connections accepted from now on (a reload changes them under a running listener).
  void use(std::shared_ptr<net::ServerTls> tls, bool client_auth, std::shared_ptr<const ConnectionSettings> settings);
  // Takes no more connections and lets those that are here end.
  void drain();
  size_t connections() const noexcept { return connections_.size(); }

 private:
  void accept(int fd, std::string address, uint16_t port);
  net::EventLoop& loop_;
  std::shared_ptr<net::ServerTls> tls_;
  bool client_auth_ = false;
  std::shared_ptr<const ConnectionSettings> settings_;
  std::unordered_map<ClientConnection*, std::unique_ptr<ClientConnection>> connections_;
  std::unique_ptr<net::Listener> listener_;
};

} // namespace verge::server
