#include "proxy/control/tools/purge_callers.h"

#include <fmt/core.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "proxy/http/grammar.h"

namespace verge::control {
namespace {

constexpr std::streamsize kSecretOctets = 4'096;

} // namespace

Result<std::string> read_secret(const std::string& text, const std::string& file) {
  if (file.empty()) return text;
  std::ifstream in(file, std::ios::binary);
  std::string out(kSecretOctets + 1, '\0');
  if (!in.read(out.data(), kSecretOctets + 1) && in.gcount() == 0) {
    return fail(Errc::config, fmt::format("{}: can't be read or is empty", file));
  }
  out.resize(static_cast<size_t>(in.gcount()));
  while (!out.empty() && (out.back() == '\n' || out.back() == '\r')) out.pop_back();
  if (out.empty() || out.size() > static_cast<size_t>(kSecretOctets) ||
      !std::ranges::all_of(out, [](char c) { return c > ' ' && c < 0x7f; })) {
    return fail(Errc::config, fmt::format("{}: must hold one secret of visible ASCII characters", file));
  }
  return out;
}

bool same_secret(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view bearer_token(std::string_view field) noexcept {
  constexpr std::string_view kScheme = "Bearer ";
  return http::iequals(field.substr(0, kScheme.size()), kScheme) ? field.substr(kScheme.size()) : std::string_view();
}

Result<PurgeCallers> PurgeCallers::create(const std::vector<config::PurgeToken>& tokens, std::string admin_token) {
  PurgeCallers out;
  if (!admin_token.empty()) out.tokens_.push_back({"admin", std::move(admin_token), std::nullopt});
  for (const auto& token : tokens) {
    auto secret = read_secret(token.token, token.token_file);
    if (!secret) return std::unexpected(std::move(secret.error()).in("invalidation.tokens: " + token.name));
    auto limits = PurgeLimits::create(token.allow);
    if (!limits) return std::unexpected(std::move(limits.error()).in("invalidation.tokens: " + token.name));
    out.tokens_.push_back({token.name, std::move(*secret), std::move(*limits)});
  }
  return out;
}

std::optional<PurgeCaller> PurgeCallers::find(const http::Headers& headers) const {
  const std::string authorization = headers.joined("authorization");
  std::string shown = headers.joined("fastly-key");
  if (shown.empty()) shown = headers.joined("x-auth-key");
  if (shown.empty()) shown = bearer_token(authorization);
  if (shown.empty()) return tokens_.empty() ? std::optional(PurgeCaller{}) : std::nullopt;
  for (const auto& token : tokens_) {
    if (same_secret(token.secret, shown)) return PurgeCaller{token.name, token.limits ? &*token.limits : nullptr};
  }
  return std::nullopt;
}

} // namespace verge::control
