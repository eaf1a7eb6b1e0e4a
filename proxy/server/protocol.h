// Protocol: what turns a connection's octets into exchanges, HTTP/1.1 or HTTP/2. Owned by its ClientConnection, on one
// loop thread.
#pragma once

#include <functional>
#include <memory>

#include "config/config.h"
#include "proxy/http/limits.h"
#include "proxy/http/stream.h"
#include "proxy/net/connection.h"
#include "proxy/pipeline/services.h"

namespace verge::server {

// Makes the one who answers a request: an Exchange on public listeners, the admin handler on the other.
using MakeHandler = std::function<std::unique_ptr<http::StreamHandler>(http::ClientStream&, const pipeline::Connected&,
                                                                       http::RequestHead&&)>;

// What is answered at once, without a handler: see pipeline/ready.h. False: nothing; the handler is to be made.
using FindReady = std::function<bool(const pipeline::Connected&, const http::RequestHead&, http::ReadyResponse&)>;

// What a listener gives to each of its connections; outlives them.
struct ConnectionSettings {
  MakeHandler make;
  FindReady ready = nullptr; // null: never
  http::Limits limits;
  config::Limits times;
  bool allow_http2 = true;
};

class Protocol {
 public:
  virtual ~Protocol() = default;
  virtual void on_input() = 0;
  virtual void on_writable() = 0;
  virtual void on_flushed() = 0;
  virtual void on_closed() = 0; // the connection is gone; nothing may be written any more
  virtual void drain() = 0;     // end what runs, begin nothing new, then close
};

} // namespace verge::server
