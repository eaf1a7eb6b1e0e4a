#include "origin/pool/http_origin.h"

#include <fmt/core.h>

#include "origin/pool/http_client.h"

namespace verge::origin {

namespace {

// The protocol a message came by, as Via names it (RFC 9110 section 7.6.3).
std::string_view received_protocol(http::Version version) {
  switch (version) {
    case http::Version::http10: return "1.0";
    case http::Version::http11: return "1.1";
    case http::Version::http2: return "2";
  }
  return "1.1";
}

class HttpOrigin final : public Origin {
 public:
  HttpOrigin(const config::Origin& options, const OriginContext& context, HttpEndpoint endpoint, std::string prefix,
             std::shared_ptr<net::ClientTls> tls)
      : prefix_(std::move(prefix)),
        host_(options.host),
        max_body_(options.max_request_body),
        client_(context, std::move(endpoint), std::move(tls), options.timeouts, options.connections, options.name) {}

  std::unique_ptr<Fetch> fetch(FetchRequest&& request, FetchSink& sink) override {
    http::RequestHead& head = request.head;
    add_forwarded_fields(head, request.client);
    if (!host_.empty()) head.authority = host_;
    if (!prefix_.empty() && head.path != "*") head.path.insert(0, prefix_);
    return client_.fetch(std::move(head), sink, max_body_);
  }
  bool allows(std::string_view) const noexcept override { return true; }

 private:
  const std::string prefix_;
  const std::string host_;
  const uint64_t max_body_;
  HttpClient client_;
};

} // namespace

void add_forwarded_fields(http::RequestHead& head, const ClientInfo& client) {
  http::Headers& fields = head.headers;
  const std::string before = fields.joined("via");
  for (const std::string_view name : {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "via"}) {
    fields.remove(name);
  }
  fields.add_new("x-forwarded-for", client.address);
  fields.add_new("x-forwarded-proto", client.scheme);
  fields.add_new("x-forwarded-host", client.host);
  fields.add_made("via", [&](std::string& via) {
    if (!before.empty()) via.append(before).append(", ");
    via.append(received_protocol(head.version)).append(" verge");
  });
}

Result<std::unique_ptr<Origin>> make_http_origin(const config::Origin& options, const OriginContext& context) {
  std::string prefix;
  auto endpoint = parse_http_url(options.url, &prefix);
  if (!endpoint) return std::unexpected(std::move(endpoint.error()).in(fmt::format("origins.{}", options.name)));
  std::shared_ptr<net::ClientTls> tls;
  if (endpoint->tls) {
    auto made = make_client_tls(options);
    if (!made) return std::unexpected(std::move(made.error()));
    tls = std::move(*made);
  }
  return std::make_unique<HttpOrigin>(options, context, std::move(*endpoint), std::move(prefix), std::move(tls));
}

} // namespace verge::origin
