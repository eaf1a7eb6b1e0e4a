// ClientConnection: one accepted connection: waits for the handshake or the first octets, chooses the protocol, and
// passes on what happens. Owned by its Acceptor; loop thread only.
#pragma once

#include <functional>
#include <memory>

#include "proxy/net/connection.h"
#include "proxy/net/tls_server.h"
#include "proxy/server/protocol.h"

namespace verge::server {

class ClientConnection final : public net::Connection::Handler {
 public:
  // `gone` is called from the top of the loop when it may be destroyed.
  ClientConnection(net::EventLoop& loop, int fd, std::string address, uint16_t port,
                   std::shared_ptr<net::ServerTls> tls, bool client_auth,
                   std::shared_ptr<const ConnectionSettings> settings, std::function<void(ClientConnection*)> gone);
  ~ClientConnection() override;
  void drain();

  void on_open(net::Connection&) override;
  void on_input(net::Connection&) override;
  void on_writable(net::Connection&) override;
  void on_flushed(net::Connection&) override;
  void on_closed(net::Connection&, const Error& error) override;

 private:
  class Names;
  void choose(bool http2);

  std::shared_ptr<net::ServerTls> tls_;
  std::shared_ptr<const ConnectionSettings> settings_;
  std::function<void(ClientConnection*)> gone_;
  std::unique_ptr<Names> names_;
  pipeline::Connected client_;
  net::Timer deadline_; // until a protocol is chosen; its own timers take over
  bool draining_ = false;
  std::unique_ptr<net::Connection> connection_;
  std::unique_ptr<Protocol> protocol_; // destroyed before the connection it writes to
};

} // namespace verge::server
