#include "origin/aws/request_signer.h"

#include <algorithm>

namespace verge::origin::aws {

Result<std::unique_ptr<RequestSigner>> RequestSigner::create(const config::Origin& options,
                                                             const OriginContext& context, std::string service,
                                                             PathRule rule, bool send_payload_hash) {
  if (options.region.empty()) {
    return fail(Errc::config, "region: is missing; a signature names the region, such as eu-west-1");
  }
  auto credentials = make_credentials_provider(options.credentials, process_environment(), context.loop.clock().wall());
  if (!credentials) return std::unexpected(std::move(credentials.error()));
  return std::unique_ptr<RequestSigner>(new RequestSigner(
      context.loop, std::move(*credentials), Signer(options.region, std::move(service), rule, send_payload_hash)));
}

Result<> RequestSigner::sign(http::RequestHead& head, std::string_view payload_hash,
                             std::span<const std::string_view> names) {
  const WallTime now = loop_.wall();
  auto credentials = credentials_->current(now);
  if (!credentials) {
    Error error = std::move(credentials.error());
    error.side = Side::origin;
    return std::unexpected(std::move(error));
  }
  http::Headers fields;
  for (const http::Field field : head.headers) {
    const bool wanted =
        names.empty() || field.name.starts_with("x-amz-") || std::ranges::find(names, field.name) != names.end();
    if (wanted) fields.add(field.name, field.value);
  }
  const SignRequest request{.method = head.method,
                            .path = head.path,
                            .query = head.query,
                            .host = head.authority,
                            .payload_hash = payload_hash,
                            .headers = &fields};
  const http::Headers added = signer_.sign(request, **credentials, now);
  for (const http::Field field : added) head.headers.set(field.name, field.value);
  return {};
}

Result<std::shared_ptr<net::ClientTls>> tls_for(const HttpEndpoint& endpoint, const config::Origin& options) {
  if (!endpoint.tls) return std::shared_ptr<net::ClientTls>();
  return make_client_tls(options);
}

} // namespace verge::origin::aws
