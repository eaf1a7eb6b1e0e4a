// Resolver: names to addresses on threads of its own (getaddrinfo), with a small cache, so that no loop ever waits.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/executor.h"
#include "proxy/base/result.h"

namespace verge::net {

class Resolver {
 public:
  using Done = std::move_only_function<void(Result<std::vector<std::string>>)>;
  using Lookup = std::function<Result<std::vector<std::string>>(const std::string& host)>;
  // getaddrinfo(). Blocks. Error not_found: no such name; timeout: the name servers don't answer. Both safe to retry.
  static Result<std::vector<std::string>> ask_system(const std::string& host);

  // Answers are kept for `ttl`, failures for 1 s; an expired answer is used while a new one can't be had.
  // `lookup` is called on the resolver's threads. The destructor waits for lookups under way; questions still open are
  // dropped unanswered.
  static std::unique_ptr<Resolver> create(const Clock& clock, Millis ttl = Seconds(30), int threads = 2,
                                          Lookup lookup = ask_system);
  virtual ~Resolver() = default;
  // Numeric addresses of `host`, v4 and v6, in the system's order. `done` runs on `on`, never inside this call; a
  // numeric host is answered without a thread. Thread-safe. Concurrent questions for one name ask once. `on` outlives
  // the resolver, or the answer.
  virtual void resolve(const std::string& host, Executor& on, Done done) = 0;
};

} // namespace verge::net
