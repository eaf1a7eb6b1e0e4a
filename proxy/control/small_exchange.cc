#include "proxy/control/small_exchange.h"

namespace verge::control {

SmallExchange::SmallExchange(http::ClientStream& client, http::RequestHead&& head, Work work)
    : client_(client), head_(std::move(head)), work_(std::move(work)), life_(std::make_shared<SmallExchange*>(this)) {}

SmallExchange::~SmallExchange() { *life_ = nullptr; }

void SmallExchange::begin() {
  if (head_.has_body) {
    client_.want_body();
  } else {
    go(std::string());
  }
}

void SmallExchange::on_body(std::string_view octets) {
  client_.body_consumed(octets.size());
  if (too_large_) return;
  if (body_.size() + octets.size() > kBodyLimit) {
    too_large_ = true;
    return go(std::nullopt);
  }
  body_ += octets;
}

void SmallExchange::on_body_end() {
  if (!too_large_) go(std::move(body_));
}

void SmallExchange::go(std::optional<std::string> body) {
  work_(head_, std::move(body), [life = life_](Reply r) {
    if (*life != nullptr) (*life)->reply(std::move(r));
  });
}

void SmallExchange::reply(Reply r) {
  if (cut_) return;
  http::Headers fields = std::move(r.fields);
  fields.add("content-type", r.content_type);
  fields.add("cache-control", "no-store");
  http::ResponseOut out;
  out.status = r.status;
  out.fields = &fields;
  out.content_length = r.body.size();
  out.no_body = head_.is("HEAD") || r.body.empty();
  client_.send_head(out);
  if (out.no_body) return;
  client_.send_body(Slice::copy_of(r.body));
  client_.send_end();
}

} // namespace verge::control
