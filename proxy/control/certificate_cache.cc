#include "proxy/control/certificate_cache.h"

#include <fmt/core.h>

#include "proxy/base/log.h"

namespace verge::control {
namespace {

constexpr size_t kCertificateBytes = 64 * 1024;
constexpr size_t kMostCertificates = 64; // SNS changes them about once a year

} // namespace

void CertificateCache::get(const Topic& topic, const std::string& path, Done done) {
  const std::string base = origin_.empty() ? "https://" + sns_host(topic) : origin_;
  const std::string url = base + path;
  if (const auto it = known_.find(url); it != known_.end()) return done(it->second);
  auto& pending = pending_[url];
  pending.waiting.push_back(std::move(done));
  if (pending.get) return;
  auto started = SmallGet::start(context_, base, path, "", tls_, kCertificateBytes,
                                 [this, url, topic](Result<SmallGet::Answer> a) { arrived(url, topic, std::move(a)); });
  if (!started) return arrived(url, topic, std::unexpected(std::move(started.error())));
  pending.get = std::move(*started);
}

void CertificateCache::arrived(const std::string& url, const Topic& topic, Result<SmallGet::Answer> answer) {
  auto node = pending_.extract(url);
  auto result = [&]() -> Result<Certificate> {
    if (!answer) return std::unexpected(std::move(answer.error()).in("fetching " + url));
    if (answer->status != 200) {
      return fail(Errc::closed, fmt::format("fetching {}: status {}", url, answer->status), Side::origin);
    }
    return SigningCertificate::parse(answer->body,
                                     origin_.empty() ? signing_certificate_names(topic) : std::vector<std::string>{});
  }();
  if (result) {
    if (known_.size() >= kMostCertificates) known_.clear();
    known_[url] = *result;
    log::info("sns", "signing certificate {} is known now", url);
  }
  for (auto& done : node.mapped().waiting) done(result);
  // The SmallGet is the caller: it dies when this turn is over.
  if (node.mapped().get) context_.loop.defer([dead = std::shared_ptr<SmallGet>(std::move(node.mapped().get))] {});
}

} // namespace verge::control
