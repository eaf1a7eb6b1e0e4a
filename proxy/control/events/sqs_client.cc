#include "proxy/control/events/sqs_client.h"

#include <fmt/core.h>

#include "origin/aws/digest.h"
#include "origin/pool/endpoint.h"

namespace verge::control {
namespace {

constexpr uint32_t kConnections = 4;         // one waits for messages, the others delete and extend
constexpr size_t kAnswerBytes = 16ull << 20; // ten messages of 1 MiB, escaped
constexpr Millis kLongest{40'000};           // SQS itself waits up to 20 s

config::Timeouts timeouts() {
  config::Timeouts out;
  out.connect = Millis(5'000);
  out.first_byte = out.between_bytes = out.head = kLongest;
  return out;
}

} // namespace

SqsClient::SqsClient(const config::SqsQueue& options, const origin::OriginContext& context,
                     origin::HttpEndpoint endpoint, std::shared_ptr<net::ClientTls> tls,
                     std::unique_ptr<origin::aws::RequestSigner> signer)
    : loop_(context.loop),
      queue_(options.queue),
      signer_(std::move(signer)),
      client_(context, std::move(endpoint), std::move(tls), timeouts(), kConnections, "sqs") {}

Result<std::unique_ptr<SqsClient>> SqsClient::create(const config::SqsQueue& options,
                                                     const origin::OriginContext& context) {
  std::string prefix;
  auto endpoint = origin::parse_http_url(options.endpoint.empty() ? options.queue : options.endpoint, &prefix);
  if (!endpoint) return std::unexpected(std::move(endpoint.error()));
  config::Origin as_origin; // what the signer and TLS of origins are made from
  as_origin.region = options.region;
  as_origin.credentials = options.credentials;
  as_origin.tls_ca = options.tls_ca;
  auto signer = origin::aws::RequestSigner::create(as_origin, context, "sqs", origin::aws::PathRule::normalized, false);
  if (!signer) return std::unexpected(std::move(signer.error()));
  auto tls = origin::aws::tls_for(*endpoint, as_origin);
  if (!tls) return std::unexpected(std::move(tls.error()));
  auto out = std::unique_ptr<SqsClient>(
      new SqsClient(options, context, std::move(*endpoint), std::move(*tls), std::move(*signer)));
  out->path_ = options.endpoint.empty() ? "/" : prefix + "/";
  return out;
}

void SqsClient::call(std::string_view action, const std::string& body, Millis limit, SmallCall::Done done) {
  http::RequestHead head;
  head.method = "POST";
  head.authority = client_.endpoint().authority();
  head.path = path_;
  head.headers.add("content-type", "application/x-amz-json-1.0");
  head.headers.add("x-amz-target", fmt::format("AmazonSQS.{}", action));
  head.headers.add("user-agent", "verge");
  if (auto signed_well = signer_->sign(head, origin::aws::hex(origin::aws::sha256(body)), {}); !signed_well) {
    return loop_.defer([done = std::move(done), error = std::move(signed_well.error())]() mutable {
      done(std::unexpected(std::move(error)));
    });
  }
  const auto slot = calls_.emplace(calls_.end());
  *slot = SmallCall::send(loop_, client_, std::move(head), body, limit, kAnswerBytes,
                          [this, slot, done = std::move(done)](Result<SmallCall::Answer> answer) mutable {
                            loop_.defer([dead = std::shared_ptr<SmallCall>(std::move(*slot))] {});
                            calls_.erase(slot);
                            done(std::move(answer));
                          });
}

} // namespace verge::control
