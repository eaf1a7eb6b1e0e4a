// Credentials: the key pair that requests to AWS are signed with, and where it comes from. Order: the origin's config
// rows, the environment, the shared credentials file.
//
// A CredentialsProvider belongs to one loop. current() never waits: a source that has to ask the network refreshes what
// it holds ahead of its end, and says "not yet" until it has something.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "config/config.h"
#include "proxy/base/clock.h"
#include "proxy/base/result.h"

namespace verge::origin::aws {

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;       // empty: long-term keys
  std::optional<WallTime> expires; // none: until they are replaced
};

class CredentialsProvider {
 public:
  virtual ~CredentialsProvider() = default;
  // What to sign with now. Error config: none can be had; `what` names every place that was looked at.
  virtual Result<std::shared_ptr<const Credentials>> current(WallTime now) = 0;
};

// Reads one variable; none when it is not set. A parameter so that tests need not change the process's environment.
using Environment = std::function<std::optional<std::string>(const char* name)>;
Environment process_environment();

// Finds the first source that has credentials and keeps to it. The shared file is read again when its time or size
// changes (looked at once a second at most); while the new text is faulty the last good keys stay in use.
// Error config: no source has any, or the one that is meant is faulty (half a pair, unknown profile, malformed file).
Result<std::unique_ptr<CredentialsProvider>> make_credentials_provider(const config::Credentials& configured,
                                                                       const Environment& environment, WallTime now);

} // namespace verge::origin::aws
