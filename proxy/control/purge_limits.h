// PurgeLimits: what one source of invalidations may name (`allow` in the configuration). Pure. A command is refused as
// a whole when one of its targets reaches beyond them: half a purge would look like a whole one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cache/invalidate/epochs.h"
#include "config/config.h"
#include "proxy/base/result.h"

namespace verge::control {

class PurgeLimits {
 public:
  PurgeLimits() = default; // everything
  // Error config: a path that can't be one.
  static Result<PurgeLimits> create(const config::PurgeAllow& allow);

  enum class Limit : uint8_t { host, path, tag, soft };
  struct Refusal {
    Limit limit;
    std::string why; // ""/*" reaches beyond allow.paths [/blog/*]"
  };
  // None: the source may do that. A pattern is within a limit when all it can match is: "/blog/2024/*" is in "/blog/*".
  std::optional<Refusal> refuses(const cache::Invalidation& command) const;

  // The hosts it is limited to that are plain names: what a command that names no host can be meant for.
  std::vector<std::string> plain_hosts() const;

 private:
  std::vector<std::string> hosts_, paths_, tags_;
  bool soft_only_ = false;
};

std::string_view to_string(PurgeLimits::Limit limit) noexcept;

} // namespace verge::control
