// HttpPool: who may have a connection to one endpoint, and the connections that rest between two requests.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "origin/origin.h"
#include "origin/pool/endpoint.h"
#include "origin/pool/http_link.h"

namespace verge::origin {

class HttpExchange;

// Loop thread only. Shared by the HttpClient and its running exchanges; close() is called by the former.
// A slot is the right to one connection; there are `max_connections`. An exchange that holds one either has a link or
// is about to connect; a resting link holds one too. Waiting exchanges exist only while no link rests.
class HttpPool {
 public:
  HttpPool(const OriginContext& context, HttpEndpoint endpoint, std::shared_ptr<net::ClientTls> tls,
           const config::Timeouts& timeouts, uint32_t max_connections, std::string origin_name);
  HttpPool(const HttpPool&) = delete;
  HttpPool& operator=(const HttpPool&) = delete;
  ~HttpPool();

  // Gives `exchange` a resting link or a slot (at once, through its use_link() or open_link()), else puts it in line.
  void acquire(HttpExchange& exchange);
  void leave_line(HttpExchange& exchange);
  // The link's exchange is over. `keep`: everything about it was in order.
  void give_back(std::unique_ptr<HttpLink> link, bool keep);
  void give_back_slot(); // of an exchange that got no link
  // Closes what rests; what runs is closed when it ends.
  void close();

  net::EventLoop& loop() noexcept { return loop_; }
  net::Resolver& resolver() noexcept { return resolver_; }
  const HttpEndpoint& endpoint() const noexcept { return endpoint_; }
  const std::shared_ptr<net::ClientTls>& tls() const noexcept { return tls_; }
  const config::Timeouts& timeouts() const noexcept { return timeouts_; }
  uint32_t max_connections() const noexcept { return max_connections_; }
  const std::string& origin_name() const noexcept { return origin_name_; }
  // Where to begin in a list of addresses: each new connection one further.
  size_t next_turn() noexcept { return turn_++; }

 private:
  class Resting;
  void drop(Resting& resting);

  net::EventLoop& loop_;
  net::Resolver& resolver_;
  const HttpEndpoint endpoint_;
  const std::shared_ptr<net::ClientTls> tls_;
  const config::Timeouts timeouts_;
  const uint32_t max_connections_;
  const std::string origin_name_;
  bool closed_ = false;
  uint32_t slots_used_ = 0;
  size_t turn_ = 0;
  std::vector<std::unique_ptr<Resting>> resting_; // the one used last at the end
  std::list<HttpExchange*> line_;
};

} // namespace verge::origin
