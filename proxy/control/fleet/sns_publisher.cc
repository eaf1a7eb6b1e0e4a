#include "proxy/control/fleet/sns_publisher.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "origin/aws/digest.h"
#include "origin/pool/endpoint.h"
#include "proxy/base/metrics.h"
#include "proxy/control/events/sns_topic.h"
#include "proxy/control/fleet/sns_publish.h"

namespace verge::control {
namespace {

constexpr const char* kName = "sns";
constexpr uint32_t kConnections = 4;
constexpr size_t kAnswerBytes = 64 << 10;
constexpr Millis kFirstPause{100}, kLongestPause{1'000};

metrics::Counter counter(const char* labels) {
  return {"verge_fleet_publishes_total", labels,
          "Purges that this node's APIs took and published to fleet.topic: ok, failed (their sender got an error), and "
          "tries that were repeated: retried."};
}
metrics::Counter g_ok = counter("result=\"ok\"");
metrics::Counter g_failed = counter("result=\"failed\"");
metrics::Counter g_retried = counter("result=\"retried\"");

config::Timeouts timeouts(Millis limit) {
  config::Timeouts out;
  out.connect = out.first_byte = out.between_bytes = out.head = limit;
  return out;
}

} // namespace

struct SnsPublisher::Job {
  Job(net::EventLoop& loop, std::string text, Done d)
      : body(std::move(text)), done(std::move(d)), again(loop, [this] { retry(); }) {}
  const std::string body;
  Done done;
  MonoTime until{};
  Millis pause = kFirstPause;
  std::move_only_function<void()> retry;
  net::Timer again;
  std::unique_ptr<SmallCall> call;
  std::optional<Error> unsigned_for; // why it could not be signed
};

SnsPublisher::SnsPublisher(const config::Fleet& options, const origin::OriginContext& context,
                           origin::HttpEndpoint endpoint, std::shared_ptr<net::ClientTls> tls,
                           std::unique_ptr<origin::aws::RequestSigner> signer)
    : loop_(context.loop),
      topic_(options.topic),
      limit_(options.publish_timeout),
      signer_(std::move(signer)),
      client_(context, std::move(endpoint), std::move(tls), timeouts(options.publish_timeout), kConnections, kName) {}

SnsPublisher::~SnsPublisher() = default;

Result<std::unique_ptr<SnsPublisher>> SnsPublisher::create(const config::Fleet& options,
                                                           const origin::OriginContext& context) {
  const auto topic = parse_topic_arn(options.topic);
  if (!topic) return std::unexpected(topic.error());
  std::string prefix;
  auto endpoint =
      origin::parse_http_url(options.endpoint.empty() ? "https://" + sns_host(*topic) : options.endpoint, &prefix);
  if (!endpoint) return std::unexpected(std::move(endpoint.error()));
  config::Origin as_origin; // what the signer and TLS of origins are made from
  as_origin.region = topic->region;
  as_origin.credentials = options.credentials;
  auto signer = origin::aws::RequestSigner::create(as_origin, context, "sns", origin::aws::PathRule::normalized, false);
  if (!signer) return std::unexpected(std::move(signer.error()));
  auto tls = origin::aws::tls_for(*endpoint, as_origin);
  if (!tls) return std::unexpected(std::move(tls.error()));
  auto out = std::unique_ptr<SnsPublisher>(
      new SnsPublisher(options, context, std::move(*endpoint), std::move(*tls), std::move(*signer)));
  out->path_ = prefix + "/";
  return out;
}

void SnsPublisher::publish(std::string_view message, Done done) {
  const auto job =
      jobs_.emplace(jobs_.end(), std::make_unique<Job>(loop_, publish_body(topic_, message), std::move(done)));
  (*job)->until = loop_.mono() + limit_;
  (*job)->retry = [this, job] { // ours: dies with us
    if ((*job)->unsigned_for) return end(job, std::unexpected(*(*job)->unsigned_for));
    attempt(job);
  };
  attempt(job);
}

void SnsPublisher::attempt(Slot slot) {
  auto& job = **slot;
  http::RequestHead head;
  head.method = "POST";
  head.authority = client_.endpoint().authority();
  head.path = path_;
  head.headers.add("content-type", "application/x-www-form-urlencoded; charset=utf-8");
  head.headers.add("user-agent", "verge");
  const auto hash = origin::aws::hex(origin::aws::sha256(job.body));
  if (auto signed_well = signer_->sign(head, hash, {}); !signed_well) {
    job.unsigned_for = std::move(signed_well.error());
    return job.again.start(Millis(0)); // `done` never runs inside publish()
  }
  const Millis left = std::max(job.until - loop_.mono(), Millis(1));
  job.call = SmallCall::send(loop_, client_, std::move(head), job.body, left, kAnswerBytes,
                             [this, slot](Result<SmallCall::Answer> answer) {
                               loop_.defer([dead = std::shared_ptr<SmallCall>(std::move((*slot)->call))] {});
                               answered(slot, std::move(answer));
                             });
}

void SnsPublisher::answered(Slot slot, Result<SmallCall::Answer> answer) {
  auto& job = **slot;
  auto result = answer ? parse_publish_answer(answer->status, answer->body)
                       : Result<std::string>(std::unexpected(std::move(answer.error())));
  // Twice is harmless: every node knows the purge by its id. So a connection that breaks is tried again as well.
  const bool again = !result && (!answer || result.error().retry == Retry::safe);
  if (!again || loop_.mono() + job.pause >= job.until) return end(slot, std::move(result));
  g_retried.add();
  job.again.start(job.pause);
  job.pause = std::min(job.pause * 2, kLongestPause);
}

void SnsPublisher::end(Slot slot, Result<std::string> result) {
  (result ? g_ok : g_failed).add();
  if (!result) result.error().what = without_origin(std::move(result.error().what), kName);
  auto job = std::shared_ptr<Job>(std::move(*slot));
  jobs_.erase(slot);
  loop_.defer([job] {});
  job->done(std::move(result));
}

} // namespace verge::control
