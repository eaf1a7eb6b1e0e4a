#include "proxy/control/tools/cloudfront_api.h"

#include <fmt/core.h>
#include <openssl/rand.h>

#include <array>
#include <charconv>

#include "origin/aws/digest.h"
#include "origin/aws/encoding.h"
#include "proxy/base/log.h"
#include "proxy/base/metrics.h"
#include "proxy/control/tools/purge_callers.h"

namespace verge::control {
namespace {

constexpr std::string_view kVersion = "/2020-05-31/", kXml = "text/xml";
constexpr Millis kWindow = Seconds(15 * 60); // as AWS allows
constexpr size_t kPage = 100;

metrics::Counter g_refused(
    "verge_cloudfront_requests_refused_total", "",
    "Requests to the CloudFront API that were refused: signature, form, distribution, limits; the "
    "log says which.");

std::string random_id(std::string_view alphabet, size_t size) {
  std::array<unsigned char, 32> octets{};
  RAND_bytes(octets.data(), static_cast<int>(octets.size()));
  std::string out;
  for (size_t i = 0; i < size; ++i) out += alphabet[octets[i % octets.size()] % alphabet.size()];
  return out;
}

constexpr std::string_view kIdLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

// The same batch under the same CallerReference has the same id, on every node and at every try: done twice it is done
// once.
std::string id_of(const std::string& distribution, const InvalidationBatch& batch) {
  std::string text = distribution + "\n" + batch.caller_reference;
  for (const auto& item : batch.items) text += "\n" + item;
  std::string out = "I";
  for (const auto octet : origin::aws::sha256(text)) {
    if (out.size() < 14) out += kIdLetters[octet % kIdLetters.size()];
  }
  return out;
}

std::string query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    if (part.starts_with(name) && part.substr(name.size()).starts_with('=')) {
      return origin::aws::percent_decode(part.substr(name.size() + 1));
    }
  }
  return {};
}

} // namespace

// "/2020-05-31/distribution/<id>/invalidation[/<id>]"
struct CloudFrontApi::Resource {
  std::string distribution, invalidation; // decoded; the second may be empty
  bool tenant = false;

  static std::optional<Resource> parse(std::string_view path) {
    if (!path.starts_with(kVersion)) return std::nullopt;
    path.remove_prefix(kVersion.size());
    const auto next = [&path] {
      const auto segment = path.substr(0, path.find('/'));
      path.remove_prefix(std::min(segment.size() + 1, path.size()));
      return segment;
    };
    Resource out;
    const auto kind = next();
    if (kind != "distribution" && kind != "distribution-tenant") return std::nullopt;
    out.tenant = kind == "distribution-tenant";
    out.distribution = origin::aws::percent_decode(next());
    if (out.distribution.empty() || next() != "invalidation") return std::nullopt;
    out.invalidation = origin::aws::percent_decode(next());
    return path.empty() ? std::optional(std::move(out)) : std::nullopt;
  }
};

Result<std::unique_ptr<CloudFrontApi>> CloudFrontApi::create(const config::CloudFront& options, PurgeEngine& engine,
                                                             cache::Cache& cache, Executor& loop, const Clock& clock,
                                                             Fleet* fleet) {
  auto out = std::unique_ptr<CloudFrontApi>(new CloudFrontApi(engine, cache, loop, clock, fleet));
  out->distributions_ = options.distributions;
  for (const auto& key : options.keys) {
    auto secret = read_secret(key.secret, key.secret_file);
    if (!secret) return std::unexpected(std::move(secret.error()).in("key " + key.id));
    auto limits = PurgeLimits::create(key.allow);
    if (!limits) return std::unexpected(std::move(limits.error()).in("key " + key.id));
    out->keys_.insert_or_assign(key.id, Key{std::move(*secret), std::move(*limits)});
  }
  return out;
}

bool CloudFrontApi::wants(const http::RequestHead& head) const { return head.path.starts_with(kVersion); }

Reply CloudFrontApi::problem(int status, std::string_view code, std::string_view message) const {
  return {status, std::string(kXml), error_xml(code, message, random_id("0123456789abcdef", 32))};
}

void CloudFrontApi::answer(const http::RequestHead& head, std::optional<std::string> body, SmallExchange::Answer done) {
  std::string who = "nobody";
  const auto refuse = [&](int status, std::string_view code, std::string_view message) {
    g_refused.add();
    log::warn("cloudfront", "{} {} by {} is refused: {}: {}", head.method, head.path.substr(0, 200), who, code,
              message);
    done(problem(status, code, message));
  };
  if (!body) {
    return refuse(413, "BatchTooLarge", fmt::format("The body is larger than {} octets", SmallExchange::kBodyLimit));
  }
  const SignatureCheck check{"cloudfront", kWindow, [this](std::string_view id) -> std::optional<std::string_view> {
                               const auto it = keys_.find(id);
                               if (it == keys_.end()) return std::nullopt;
                               return it->second.secret;
                             }};
  const auto is_signed = check_signature(head, *body, check, clock_.wall());
  if (!is_signed.key_id.empty()) who = is_signed.key_id;
  if (is_signed.fault) return refuse(is_signed.fault->status, is_signed.fault->code, is_signed.fault->message);
  const auto resource = Resource::parse(head.path);
  if (!resource) {
    return refuse(404, "NoSuchResource", "There are CreateInvalidation, GetInvalidation and ListInvalidations only");
  }
  if (!distributions_.empty() && !distributions_.contains(resource->distribution)) {
    return refuse(404, resource->tenant ? "EntityNotFound" : "NoSuchDistribution",
                  fmt::format("\"{}\" is not among invalidation.cloudfront.distributions of this node",
                              resource->distribution.substr(0, 100)));
  }
  if (head.is("POST") && resource->invalidation.empty()) {
    return create_invalidation(*resource, is_signed.key_id, *body, std::move(done));
  }
  if (!head.is("GET")) return refuse(405, "MethodNotAllowed", "The resource takes GET, and a distribution's list POST");
  done(resource->invalidation.empty() ? list(*resource, head.query) : get(*resource));
}

void CloudFrontApi::create_invalidation(const Resource& resource, const std::string& key_id, std::string_view body,
                                        SmallExchange::Answer done) {
  const auto refuse = [&](const CloudFrontFault& fault) {
    g_refused.add();
    log::warn("cloudfront", "a batch of {} is refused: {}: {}", key_id, fault.code, fault.message);
    done(problem(fault.status, fault.code, fault.message));
  };
  auto batch = parse_batch(body);
  if (!batch) return refuse(batch.error());
  auto targets = batch_targets(*batch);
  if (!targets) return refuse(targets.error());
  const auto created = [](const CloudFrontRow& row, bool tenant) {
    Reply out{201, std::string(kXml), invalidation_xml(row)};
    out.fields.add("location", fmt::format("https://cloudfront.amazonaws.com{}{}/{}/invalidation/{}", kVersion,
                                           tenant ? "distribution-tenant" : "distribution",
                                           origin::aws::percent_encode(row.distribution, false), row.id));
    return out;
  };
  if (const auto* known = rows_.by_reference(resource.distribution, batch->caller_reference)) {
    look_whether_completed(*known);
    if (known->batch == *batch) return done(created(*known, resource.tenant));
    return refuse({400, "InvalidationBatchAlreadyExists",
                   "Another batch with this CallerReference was created before, with other paths"});
  }
  const auto& limits = keys_.find(key_id)->second.limits;
  if (auto bound = bind_hosts(*targets, *scope_of(distributions_, resource.distribution, &limits)); !bound) {
    return refuse({400, "InvalidArgument", bound.error().what});
  }
  PurgeCommand command{
      .door = Door::cloudfront, .who = fmt::format("{} {}", key_id, resource.distribution), .event = ""};
  command.what.targets = std::move(*targets);
  command.what.id = id_of(resource.distribution, *batch);
  command.limits = &limits;
  CloudFrontRow row{command.what.id, resource.distribution, std::move(*batch), {}, 0, false};
  engine_.apply(std::move(command), [this, row = std::move(row), tenant = resource.tenant, created,
                                     done = std::move(done)](Result<Purged> applied) mutable {
    if (!applied) {
      const auto& error = applied.error();
      return done(error.code == Errc::refused     ? problem(403, "AccessDenied", error.what)
                  : error.code == Errc::too_large ? problem(413, "BatchTooLarge", error.what)
                                                  : problem(503, "ServiceUnavailable", error.what));
    }
    // Created twice at once it is one.
    if (const auto* known = rows_.find(row.distribution, row.id)) return done(created(*known, tenant));
    row.seq = applied->seq;
    row.time = applied->time;
    row.completed = fleet_ == nullptr || fleet_->completed(row.id);
    auto reply = created(row, tenant);
    rows_.add(std::move(row), [reply = std::move(reply), done = std::move(done)]() mutable { done(std::move(reply)); });
  });
}

void CloudFrontApi::look_whether_completed(const CloudFrontRow& row) {
  if (!row.completed && (fleet_ == nullptr || fleet_->completed(row.id))) rows_.complete(row.id);
}

Reply CloudFrontApi::get(const Resource& resource) {
  const auto* row = rows_.find(resource.distribution, resource.invalidation);
  if (row == nullptr) {
    return problem(404, "NoSuchInvalidation", "The specified invalidation does not exist, or is no longer remembered");
  }
  look_whether_completed(*row);
  return {200, std::string(kXml), invalidation_xml(*row)};
}

Reply CloudFrontApi::list(const Resource& resource, std::string_view query) {
  const auto most_text = query_value(query, "MaxItems"), marker = query_value(query, "Marker");
  size_t most = kPage;
  if (!most_text.empty()) {
    const auto* end = most_text.data() + most_text.size();
    const auto [stop, error] = std::from_chars(most_text.data(), end, most);
    if (error != std::errc() || stop != end || most == 0) {
      return problem(400, "InvalidArgument", "MaxItems must be a whole number above 0");
    }
    most = std::min(most, kPage);
  }
  const auto page = rows_.page(resource.distribution, marker, most);
  if (!page) return problem(400, "InvalidArgument", "Marker names no invalidation of this distribution");
  for (const auto* row : page->rows) look_whether_completed(*row);
  return {200, std::string(kXml), list_xml(page->rows, marker, page->more ? page->rows.back()->id : "", most)};
}

} // namespace verge::control
