#include "origin/pool/http_client.h"

#include <cassert>

#include "origin/pool/http_exchange.h"
#include "origin/pool/http_pool.h"

namespace verge::origin {

HttpClient::HttpClient(const OriginContext& context, HttpEndpoint endpoint, std::shared_ptr<net::ClientTls> tls,
                       const config::Timeouts& timeouts, uint32_t max_connections, std::string origin_name) {
  assert(endpoint.tls == (tls != nullptr));
  pool_ = std::make_shared<HttpPool>(context, std::move(endpoint), std::move(tls), timeouts, max_connections,
                                     std::move(origin_name));
}

HttpClient::~HttpClient() { pool_->close(); }

std::unique_ptr<Fetch> HttpClient::fetch(http::RequestHead&& head, FetchSink& sink, uint64_t max_body) {
  auto exchange = pool::make_shared<HttpExchange>(pool_, std::move(head), sink, max_body);
  exchange->start();
  return std::make_unique<HttpFetch>(std::move(exchange));
}

const HttpEndpoint& HttpClient::endpoint() const noexcept { return pool_->endpoint(); }

} // namespace verge::origin
