#include "origin/pool/http_pool.h"

#include <algorithm>

#include "origin/pool/http_exchange.h"
#include "proxy/base/metrics.h"
#include "proxy/base/pool.h"

namespace verge::origin {

namespace {
metrics::Counter reused("verge_origin_connections_reused_total", "",
                        "Requests to origins that went out on a kept connection.");
metrics::Counter surplus("verge_origin_connections_surplus_total", "",
                         "Kept origin connections dropped because octets came that nobody had asked for.");
} // namespace

// A link between two exchanges. Whatever it hears ends it: an origin that speaks unasked is answering a question of
// which we know nothing, and its octets must never become the next request's answer.
class HttpPool::Resting final : public HttpLink::User, public pool::Pooled {
 public:
  Resting(HttpPool& pool, std::unique_ptr<HttpLink> held)
      : link(std::move(held)), pool_(pool), timer_(pool.loop_, [this] { pool_.drop(*this); }) {
    link->set_user(this);
    timer_.start(pool.timeouts_.idle);
  }
  void on_link_open() override {}
  void on_link_writable() override {}
  void on_link_flushed() override {}
  void on_link_input() override {
    if (!link->connection().input().empty()) surplus.add();
    pool_.drop(*this);
  }
  void on_link_closed(const Error&) override { pool_.drop(*this); }

  std::unique_ptr<HttpLink> link;

 private:
  HttpPool& pool_;
  net::Timer timer_;
};

HttpPool::HttpPool(const OriginContext& context, HttpEndpoint endpoint, std::shared_ptr<net::ClientTls> tls,
                   const config::Timeouts& timeouts, uint32_t max_connections, std::string origin_name)
    : loop_(context.loop),
      resolver_(context.resolver),
      endpoint_(std::move(endpoint)),
      tls_(std::move(tls)),
      timeouts_(timeouts),
      max_connections_(std::max(max_connections, 1U)),
      origin_name_(std::move(origin_name)) {}

HttpPool::~HttpPool() { close(); }

void HttpPool::acquire(HttpExchange& exchange) {
  while (!resting_.empty()) {
    std::unique_ptr<HttpLink> link = std::move(resting_.back()->link);
    resting_.pop_back();
    net::Connection& connection = link->connection();
    if (connection.peer_closed() || !connection.input().empty()) {
      HttpLink::bury(std::move(link));
      --slots_used_;
      continue;
    }
    reused.add();
    exchange.use_link(std::move(link));
    return;
  }
  if (slots_used_ < max_connections_) {
    ++slots_used_;
    exchange.open_link();
  } else {
    line_.push_back(&exchange);
  }
}

void HttpPool::leave_line(HttpExchange& exchange) { line_.remove(&exchange); }

void HttpPool::give_back(std::unique_ptr<HttpLink> link, bool keep) {
  link->set_user(nullptr);
  if (!keep) {
    HttpLink::bury(std::move(link));
    give_back_slot();
    return;
  }
  link->count_response();
  if (!line_.empty()) {
    HttpExchange& next = *line_.front();
    line_.pop_front();
    reused.add();
    next.use_link(std::move(link));
  } else if (closed_) {
    HttpLink::bury(std::move(link));
    --slots_used_;
  } else {
    resting_.push_back(std::make_unique<Resting>(*this, std::move(link)));
  }
}

void HttpPool::give_back_slot() {
  if (line_.empty()) {
    --slots_used_;
    return;
  }
  HttpExchange& next = *line_.front();
  line_.pop_front();
  next.open_link();
}

void HttpPool::drop(Resting& resting) {
  const auto at = std::ranges::find_if(resting_, [&](const auto& r) { return r.get() == &resting; });
  HttpLink::bury(std::move(resting.link));
  resting_.erase(at);
  --slots_used_;
}

void HttpPool::close() {
  closed_ = true;
  for (auto& resting : resting_) {
    HttpLink::bury(std::move(resting->link));
    --slots_used_;
  }
  resting_.clear();
}

} // namespace verge::origin
