#include "proxy/control/events/certificate_cache.h"

#include <fmt/core.h>

#include "proxy/base/log.h"

namespace verge::control {
namespace {

constexpr size_t kCertificateBytes = 64 * 1024;
constexpr size_t kMostCertificates = 64; // SNS changes them about once a year
constexpr size_t kMostFailures = 256;
constexpr size_t kMostPending = 8;
constexpr Millis kFailureLifetime{5'000}; // well below the 20 s after which SNS tries again

} // namespace

void CertificateCache::get(const Topic& topic, const std::string& path, Done done) {
  const std::string base = origin_.empty() ? "https://" + sns_host(topic) : origin_;
  const std::string url = base + path;
  if (const auto it = known_.find(url); it != known_.end()) return done(it->second);
  if (const auto it = failed_.find(url); it != failed_.end() && context_.loop.mono() < it->second.until) {
    return done(std::unexpected(it->second.error));
  }
  if (const auto it = pending_.find(url); it != pending_.end()) return it->second.waiting.push_back(std::move(done));
  if (pending_.size() >= kMostPending) {
    return done(fail(Errc::timeout, fmt::format("fetching {}: {} others are being fetched", url, kMostPending)));
  }
  auto& pending = pending_[url];
  pending.waiting.push_back(std::move(done));
  auto started = SmallCall::get(context_, base, path, "", tls_, kCertificateBytes,
                                [this, url, topic](Result<SmallCall::Answer> a) { arrived(url, topic, std::move(a)); });
  if (!started) return arrived(url, topic, std::unexpected(std::move(started.error())));
  pending.get = std::move(*started);
}

Result<CertificateCache::Certificate> CertificateCache::judge(const std::string& url, const Topic& topic,
                                                              const Result<SmallCall::Answer>& answer) const {
  if (!answer) return std::unexpected(Error(answer.error()).in("fetching " + url));
  if (answer->status == 404 || answer->status == 410) {
    return fail(Errc::refused, fmt::format("there is no signing certificate {} (status {})", url, answer->status),
                Side::client);
  }
  if (answer->status != 200) {
    return fail(Errc::closed, fmt::format("fetching {}: status {}", url, answer->status), Side::origin);
  }
  const bool at_home = origin_.empty() || origin_ == "https://" + sns_host(topic);
  auto made =
      SigningCertificate::parse(answer->body, at_home ? signing_certificate_names(topic) : std::vector<std::string>{});
  if (!made) return std::unexpected(std::move(made.error()).in(url));
  return made;
}

void CertificateCache::remember(const std::string& url, const Error& error) {
  const auto now = context_.loop.mono();
  std::erase_if(failed_, [now](const auto& item) { return item.second.until <= now; });
  if (failed_.size() >= kMostFailures) failed_.clear();
  failed_.insert_or_assign(url, Failure{error, now + kFailureLifetime});
}

void CertificateCache::arrived(const std::string& url, const Topic& topic, Result<SmallCall::Answer> answer) {
  auto node = pending_.extract(url);
  const auto result = judge(url, topic, answer);
  if (result) {
    if (known_.size() >= kMostCertificates) known_.clear();
    known_[url] = *result;
    log::info("sns", "signing certificate {} is known now", url);
  } else {
    remember(url, result.error());
  }
  // The SmallCall is the caller: it dies when this turn is over.
  if (node.mapped().get) context_.loop.defer([dead = std::shared_ptr<SmallCall>(std::move(node.mapped().get))] {});
  for (auto& done : node.mapped().waiting) done(result);
}

} // namespace verge::control
