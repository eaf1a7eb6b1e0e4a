// HttpClient: HTTP/1.1 to one endpoint, with the connections that are kept for it. One per Origin and loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "config/config.h"
#include "origin/origin.h"
#include "origin/pool/endpoint.h"
#include "proxy/http/message.h"
#include "proxy/net/tls_client.h"

namespace verge::origin {

class HttpPool;

// Loop thread only. May be destroyed while its Fetches run: they end as they would have, their connections are then not
// kept. The context outlives it and every Fetch.
//
// Connections: the one used last is used next; one that rests for timeouts.idle is closed; with max_connections in use
// a Fetch waits its turn for at most connect + first_byte. A connection is kept only if the request was sent whole, the
// response ended exactly where its framing says, neither side said close, and not one octet came beyond it.
//
// Time: each address may take timeouts.connect; first_byte runs from the request's last octet to the response's first;
// between_bytes bounds every silence after it (not while paused) and a request body that the origin does not take; head
// bounds all from fetch() (with a request body: from its end) to the final head. Each ends in Errc::timeout.
//
// A kept connection that breaks before the response's first octet is the origin's right, so the request goes out once
// more, on a new connection, if its method is idempotent (RFC 9110 section 9.2.2) and it has no body. A POST is never
// sent twice.
//
// Errors to FetchSink::on_error, all with side origin and text "origin NAME: ADDRESS:PORT: ...": refused (no
// connection, no address), closed (broken off), tls, timeout, bad_input (not HTTP, or 101 that nobody asked for). Side
// client: too_large (request body above max_body), bad_input (request body differs from its declared length).
class HttpClient {
 public:
  // `tls` is needed if endpoint.tls, and else null. `origin_name` stands in error texts.
  HttpClient(const OriginContext& context, HttpEndpoint endpoint, std::shared_ptr<net::ClientTls> tls,
             const config::Timeouts& timeouts, uint32_t max_connections, std::string origin_name);
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient();

  // Sends `head`: its authority as Host, its target() as it stands, its fields as they stand, and a request body if
  // head.has_body, framed by head.content_length or chunked if that is not known. `sink` outlives the Fetch and hears
  // nothing inside this call. Any of its callbacks may destroy the Fetch. max_body: octets of request body, 0: any.
  std::unique_ptr<Fetch> fetch(http::RequestHead&& head, FetchSink& sink, uint64_t max_body = 0);

  const HttpEndpoint& endpoint() const noexcept;

 private:
  std::shared_ptr<HttpPool> pool_; // its running Fetches share it
};

} // namespace verge::origin
