// PurgeCallers: who calls a purge API, by the token shown. Secrets are read at start and never logged.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "proxy/base/result.h"
#include "proxy/control/purge_limits.h"
#include "proxy/http/headers.h"

namespace verge::control {

struct PurgeCaller {
  std::string name;                    // "admin", or the token's name; empty: no token is asked for
  const PurgeLimits* limits = nullptr; // lives as long as the PurgeCallers; null: none
};

class PurgeCallers {
 public:
  // Error config: a token's file can't be read, or its `allow` holds what is no path.
  static Result<PurgeCallers> create(const std::vector<config::PurgeToken>& tokens, std::string admin_token);
  PurgeCallers(PurgeCallers&&) noexcept = default;

  // By Fastly-Key, X-Auth-Key or Authorization: Bearer. None: a token is missing or wrong. Where the configuration has
  // neither admin.token nor tokens (then only this machine reaches the address) whoever shows none may do all.
  std::optional<PurgeCaller> find(const http::Headers& headers) const;

 private:
  struct Token {
    std::string name, secret;
    std::optional<PurgeLimits> limits;
  };
  PurgeCallers() = default;
  std::vector<Token> tokens_;
};

// `text`, or what `file` holds, without the line's end. Error config.
Result<std::string> read_secret(const std::string& text, const std::string& file);

// Takes the same time wherever they differ.
bool same_secret(std::string_view a, std::string_view b) noexcept;

// "Bearer <token>", the scheme in any case (RFC 9110 section 11.1): the token; empty: it is nothing of the kind.
std::string_view bearer_token(std::string_view authorization) noexcept;

} // namespace verge::control
