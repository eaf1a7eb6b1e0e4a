#include "origin/pool/http_link.h"

#include <fmt/core.h>

namespace verge::origin {

std::unique_ptr<HttpLink> HttpLink::connect(net::EventLoop& loop, const HttpEndpoint& endpoint, std::string address,
                                            Millis timeout, const std::shared_ptr<net::ClientTls>& tls, User& user) {
  std::string name = address.find(':') == std::string::npos ? fmt::format("{}:{}", address, endpoint.port)
                                                            : fmt::format("[{}]:{}", address, endpoint.port);
  std::unique_ptr<HttpLink> link(new HttpLink(user, std::move(name)));
  link->connection_ = net::Connection::connect(loop, std::move(address), endpoint.port, timeout, tls, endpoint.host,
                                               net::ConnectionOptions{}, *link);
  return link;
}

void HttpLink::bury(std::unique_ptr<HttpLink> link) {
  link->user_ = nullptr;
  net::EventLoop& loop = link->connection_->loop();
  loop.defer([dead = std::move(link)] {});
}

void HttpLink::on_open(net::Connection&) {
  if (user_ != nullptr) user_->on_link_open();
}
void HttpLink::on_input(net::Connection&) {
  if (user_ != nullptr) user_->on_link_input();
}
void HttpLink::on_writable(net::Connection&) {
  if (user_ != nullptr) user_->on_link_writable();
}
void HttpLink::on_flushed(net::Connection&) {
  if (user_ != nullptr) user_->on_link_flushed();
}
void HttpLink::on_closed(net::Connection&, const Error& error) {
  if (user_ != nullptr) user_->on_link_closed(error);
}

} // namespace verge::origin
