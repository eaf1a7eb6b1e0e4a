// The two faces of one request on a client connection, the same for HTTP/1.1 and HTTP/2. The adapter (proxy/server)
// implements ClientStream, whoever answers the request implements StreamHandler. Both live on one loop thread.
//
// Lifetime: the adapter owns the StreamHandler through a unique_ptr and destroys it when the exchange has ended or was
// cut, never inside one of its callbacks. The handler may use its ClientStream until then.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/base/block.h"
#include "proxy/http/message.h"

namespace verge::http {

// A response head ready to go out: fields made at store time plus the few made now.
struct ResponseOut {
  // NOLINTBEGIN(readability-redundant-member-init): with initialisers everywhere {.status = 404} raises no warning.
  int status = 200;
  const Headers* fields = nullptr;             // not owned; must live until send_head returns
  std::string_view h1_text = {};               // the same fields as HTTP/1.1 lines ("name: value\r\n"...), or empty
  Headers extra;                               // Age, Cache-Status, Date ...
  std::optional<uint64_t> content_length = {}; // none with a body: chunked (HTTP/1.1) or close (HTTP/1.0)
  bool no_body = false; // no body octets follow (HEAD, 204, 304, or an empty body): head ends the response
  // NOLINTEND(readability-redundant-member-init)
};

class H2Head; // h2_server.h

// A response to GET or HEAD that was made before, whole: it goes out as it is. 200 or 304, over a connection that
// stays.
struct ReadyResponse {
  std::string_view h1_head;              // for HTTP/1.1, with its empty line; must live until the call returns
  std::shared_ptr<const H2Head> h2_head; // for HTTP/2
  Slice body;                            // all of it; empty: the head ends the response
};
inline constexpr size_t kReadyBytes = 16'384; // of body, at most

class ClientStream {
 public:
  virtual ~ClientStream() = default;
  virtual void send_interim(const ResponseHead& head) = 0; // 1xx; ignored for HTTP/1.0
  virtual void send_head(const ResponseOut& head) = 0;     // once
  virtual void send_body(Slice slice) = 0;                 // never after send_end; size > 0
  virtual void send_end() = 0;                             // response complete (not called after no_body heads)
  // The response can't be completed: RST_STREAM or connection close, so that the client sees it as cut.
  virtual void abort() = 0;
  // Octets accepted by send_body and not yet taken by the kernel (HTTP/1) or the flow-control window (HTTP/2).
  virtual size_t queued() const noexcept = 0;
  // The handler has used `n` octets of request body: opens the window or resumes reading.
  virtual void body_consumed(size_t n) = 0;
  // Sends 100 Continue if the client waits for it and nothing was sent yet.
  virtual void want_body() = 0;
  // After the response is out, do not keep this connection (HTTP/1: Connection: close; HTTP/2: nothing).
  virtual void close_after() = 0;
  // What stands in logs and forwarded fields.
  virtual std::string_view remote_address() const noexcept = 0; // "192.0.2.1", no port
};

class StreamHandler {
 public:
  virtual ~StreamHandler() = default;
  // Called once, when the adapter has stored the handler: from here it may answer.
  virtual void begin() = 0;
  virtual void on_body(std::string_view octets) = 0; // request body; each octet is given back by body_consumed
  virtual void on_body_end() = 0;
  virtual void on_writable() = 0; // queued() fell below the low mark: more may be sent
  virtual void on_finished() = 0; // the last octet of the response was handed to the kernel
  virtual void on_cut() = 0;      // the client went away or reset; nothing can be sent any more
};

} // namespace verge::http
