// Origin and Fetch: how we ask for what we do not have. An Origin object belongs to one loop (its pool too); Fetches
// are its calls. Types: http, folder, s3, api-gateway, lambda.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "config/config.h"
#include "proxy/base/clock.h"
#include "proxy/base/result.h"
#include "proxy/http/message.h"
#include "proxy/net/connection.h"
#include "proxy/net/event_loop.h"
#include "proxy/net/resolver.h"

namespace verge::origin {

// Who asks, for X-Forwarded-* and the Lambda event. Views' owners live until fetch() returns.
struct ClientInfo {
  std::string address;
  std::string scheme; // "https"
  std::string host;   // the client's authority
  const net::TlsInfo* tls = nullptr;
  uint64_t request_id = 0; // ours: see base/request_id.h
};

struct FetchRequest {
  http::RequestHead
      head; // method, normal path, query, end-to-end headers as they shall be forwarded; authority = client's
  ClientInfo client;
};

// What comes back, on the loop, never inside fetch(). After on_end or on_error no more events come.
class FetchSink {
 public:
  virtual ~FetchSink() = default;
  virtual void on_interim(http::ResponseHead&& head) = 0; // 1xx but 100 and 101
  virtual void on_head(http::ResponseHead&& head) = 0;    // hop-by-hop fields removed; content_length as declared
  virtual void on_data(std::string_view octets) = 0;
  virtual void on_end() = 0; // the body is complete, to the letter of its framing
  // Nothing usable, or the body broke off. error.side is origin (502), code timeout (504), or client (413).
  virtual void on_error(Error error) = 0;
  virtual void on_request_writable() = 0; // send_body() may go on
};

// One request on its way. Destroying it cancels: the connection is closed unless the response was complete.
class Fetch {
 public:
  virtual ~Fetch() = default;
  virtual void pause() = 0; // stop calling on_data (reading stops; at most one more on_data may come)
  virtual void resume() = 0;
  // Request body, only if head.has_body. False: taken, but wait for on_request_writable before more.
  virtual bool send_body(std::string_view octets) = 0;
  virtual void end_body() = 0;
};

class Origin {
 public:
  virtual ~Origin() = default;
  virtual std::unique_ptr<Fetch> fetch(FetchRequest&& request, FetchSink& sink) = 0;
  // False for methods it can't take (S3 and folder: anything but GET, HEAD): answer 405.
  virtual bool allows(std::string_view method) const noexcept = 0;
};

// What all Origins of a loop share. All outlive the Origins.
struct OriginContext {
  net::EventLoop& loop;
  net::Resolver& resolver;
};

// Builds one. Error config: certificate files, folder or credentials can't be read; `what` names the field.
Result<std::unique_ptr<Origin>> make_origin(const config::Origin& options, const OriginContext& context);

} // namespace verge::origin
