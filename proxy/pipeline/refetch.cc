#include "proxy/pipeline/refetch.h"

#include "cache/policy/key_rules.h"
#include "cache/policy/vary.h"
#include "proxy/http/grammar.h"
#include "proxy/pipeline/exchange.h"
#include "proxy/pipeline/no_client.h"
#include "proxy/pipeline/stale.h"

namespace verge::pipeline {
namespace {

// Cuts off what stands before the next `end`.
std::string_view take_until(std::string_view& text, char end) {
  const size_t at = std::min(text.find(end), text.size());
  const auto taken = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return taken;
}

bool set_url(http::RequestHead& head, std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme == url.npos) return false;
  head.method = "GET";
  head.scheme = url.substr(0, scheme);
  url.remove_prefix(scheme + 3);
  const size_t path = url.find('/');
  if (path == url.npos || path == 0) return false;
  head.authority = url.substr(0, path);
  url.remove_prefix(path);
  head.has_query = url.find('?') != url.npos;
  head.path = take_until(url, '?');
  head.query = url;
  return true;
}

// Owns itself through what it waits for.
class Refetch : public std::enable_shared_from_this<Refetch> {
 public:
  Refetch(Services& services, std::shared_ptr<LoopSnapshot> snapshot, http::RequestHead&& head,
          std::move_only_function<void(Refetched)> done)
      : connected_{.address = "", .scheme = head.scheme, .sni = {}, .tls_version = {}, .tls_client = {}},
        exchange_(std::make_unique<Exchange>(services, std::move(snapshot), client_, connected_, std::move(head))),
        done_(std::move(done)) {}

  void start() {
    exchange_->stop_before(Room::join, [self = shared_from_this()] { self->looked_up(); });
    exchange_->begin();
  }

 private:
  void looked_up() {
    auto& ex = *exchange_;
    if (ex.status != 0 || !ex.key.store) return done_(Refetched::skipped);
    if (ex.found.entry && ex.found.use == policy::Use::fresh) return done_(Refetched::fresh);
    const auto entry = refresh_behind(ex);
    if (!entry) return done_(Refetched::skipped);
    entry->when_settled(ex.services.loop, [self = shared_from_this()] { self->done_(Refetched::fetched); });
  }

  NoClient client_;
  Connected connected_;
  std::unique_ptr<Exchange> exchange_;
  std::move_only_function<void(Refetched)> done_;
};

} // namespace

std::optional<http::RequestHead> request_again(const cache::StoredHead& head) {
  if (head.status == 206 || head.no_body || head.request_had_authorization) return std::nullopt;
  http::RequestHead out;
  std::string_view rest = head.url.empty() ? std::string_view(head.key) : std::string_view(head.url);
  if (!set_url(out, take_until(rest, '\n'))) return std::nullopt;
  std::string cookies;
  while (!rest.empty()) { // see policy::key_of
    std::string_view part = take_until(rest, '\n');
    const auto kind = take_until(part, ':');
    const auto name = take_until(part, '=');
    if (kind == "header") {
      out.headers.add(name, part);
    } else if (kind == "cookie") {
      cookies.append(cookies.empty() ? "" : "; ").append(name).append("=").append(part);
    } else {
      return std::nullopt;
    }
  }
  if (!cookies.empty()) out.headers.add("cookie", cookies);
  std::string_view values = head.vary_values;
  for (const auto& field : head.vary_fields) { // see policy::vary_key
    const auto line = take_until(values, '\n');
    if (line.starts_with('+') && !out.headers.has(field)) out.headers.add(field, line.substr(1));
  }
  if (policy::vary_key(head.vary_fields, out.headers) != head.vary_values) return std::nullopt;
  return out;
}

void refetch(Services& services, std::shared_ptr<LoopSnapshot> snapshot, const cache::StoredHead& head,
             std::move_only_function<void(Refetched)> done) {
  auto request = request_again(head);
  if (!request) return done(Refetched::skipped);
  const Site* site = snapshot->snapshot->site(http::host_of(request->authority));
  const Route* route = site != nullptr ? Snapshot::route(*site, request->path) : nullptr;
  const bool intercepted = services.intercept != nullptr && services.intercept->wants(request->path);
  if (route == nullptr || intercepted ||
      policy::key_of(route->key, *request) != (head.url.empty() ? head.key : head.url)) {
    return done(Refetched::skipped);
  }
  std::make_shared<Refetch>(services, std::move(snapshot), std::move(*request), std::move(done))->start();
}

} // namespace verge::pipeline
