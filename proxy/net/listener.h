// Listener: accepts on one address for one loop. Every loop has its own with SO_REUSEPORT.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "proxy/base/result.h"
#include "proxy/net/event_loop.h"

namespace verge::net {

// "127.0.0.1:8443", "[::1]:80", ":8080" (all addresses), "unix:/run/verge.sock", taken apart.
struct Endpoint {
  std::string host; // numeric address; empty: all
  uint16_t port = 0;
  std::string unix_path; // not empty: a unix socket
  static Result<Endpoint> parse(std::string_view text);
  bool loopback() const noexcept;
};

class Listener {
 public:
  // fd is non-blocking; the callee takes it over. `address` and `port` are the peer's.
  using Accept = std::move_only_function<void(int fd, std::string address, uint16_t port)>;

  // A bound and listening socket with SO_REUSEPORT; the caller owns the fd. Binding happens at start and reload, before
  // any loop is touched, so that a port in use is an error of the config. Port 0 takes a free port: see bound_port().
  // A unix path can be bound once only: give further loops a dup() of the fd. Error config: `what` names the address
  // and the reason.
  static Result<int> bind(const Endpoint& endpoint, int backlog);
  // SO_REUSEPORT lets a second node of the same user listen on a first one's port and take half of its clients without
  // a word. Asked once before the first bind(): an error if anybody listens there.
  static Result<> check_free(const Endpoint& endpoint);
  static uint16_t bound_port(int fd);

  // Starts accepting; takes fd over. When descriptors run out it pauses for a moment instead of spinning, and says so.
  Listener(EventLoop& loop, int fd, Accept accept);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener(); // stops accepting and closes

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

} // namespace verge::net
