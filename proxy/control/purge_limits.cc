#include "proxy/control/purge_limits.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "proxy/base/glob.h"

namespace verge::control {
namespace {

using cache::Target;

std::string lower_case(std::string s) {
  std::ranges::transform(s, s.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return s;
}

// Does one of `allowed` match all that `name` matches? A `*` in `name` is only matched by a `*`, which then also takes
// whatever stands in its place: so the match of the texts is enough.
bool within(const std::vector<std::string>& allowed, std::string_view name) {
  return std::ranges::any_of(allowed, [&](const std::string& one) { return glob_match(one, name); });
}

std::string path_of(const Target& target) { return target.kind == Target::Kind::all ? "/*" : target.value; }

} // namespace

Result<PurgeLimits> PurgeLimits::create(const config::PurgeAllow& allow) {
  PurgeLimits out;
  out.soft_only_ = allow.soft_only;
  for (const auto& host : allow.hosts) out.hosts_.push_back(lower_case(host));
  for (const auto& tag : allow.tags) out.tags_.push_back(lower_case(tag));
  for (const auto& path : allow.paths) {
    auto target = cache::parse_target(path);
    if (!target) return fail(Errc::config, fmt::format("allow.paths: {}", target.error().what));
    out.paths_.push_back(path_of(*target));
  }
  return out;
}

std::optional<PurgeLimits::Refusal> PurgeLimits::refuses(const cache::Invalidation& command) const {
  if (soft_only_ && !command.soft) return Refusal{Limit::soft, "it may only mark stale (allow.soft_only)"};
  const bool named = !paths_.empty() || !tags_.empty();
  for (const auto& target : command.targets) {
    const auto text = cache::to_text(target);
    const auto shown = std::string_view(text).substr(0, 200);
    if (!hosts_.empty() && target.host.empty()) {
      return Refusal{Limit::host,
                     fmt::format("\"{}\" holds on every host, allow.hosts is [{}]", shown, fmt::join(hosts_, ", "))};
    }
    if (!hosts_.empty() && !within(hosts_, target.host)) {
      return Refusal{Limit::host,
                     fmt::format("\"{}\" is not on a host of allow.hosts [{}]", shown, fmt::join(hosts_, ", "))};
    }
    if (!named) continue;
    if (target.kind == Target::Kind::tag) {
      if (within(tags_, target.value)) continue;
      return Refusal{Limit::tag, tags_.empty()
                                     ? fmt::format("\"{}\" is a tag, and allow has paths only", shown)
                                     : fmt::format("\"{}\" is not in allow.tags [{}]", shown, fmt::join(tags_, ", "))};
    }
    if (within(paths_, path_of(target))) continue;
    return Refusal{Limit::path, paths_.empty() ? fmt::format("\"{}\" is a path, and allow has tags only", shown)
                                               : fmt::format("\"{}\" reaches beyond allow.paths [{}]", shown,
                                                             fmt::join(paths_, ", "))};
  }
  return std::nullopt;
}

std::vector<std::string> PurgeLimits::plain_hosts() const {
  std::vector<std::string> out;
  std::ranges::copy_if(hosts_, std::back_inserter(out),
                       [](const std::string& host) { return host.find('*') == std::string::npos; });
  return out;
}

std::string_view to_string(PurgeLimits::Limit limit) noexcept {
  switch (limit) {
    case PurgeLimits::Limit::host: return "host";
    case PurgeLimits::Limit::path: return "path";
    case PurgeLimits::Limit::tag: return "tag";
    case PurgeLimits::Limit::soft: return "soft";
  }
  return "";
}

} // namespace verge::control
