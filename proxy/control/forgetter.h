// Forgetter: has the cache forget, now and then, the commands that nothing stored is older than. Control loop only.
#pragma once

#include "cache/cache.h"
#include "proxy/net/event_loop.h"

namespace verge::control {

class Forgetter {
 public:
  // Looks every `every`, and not for more than a twentieth of the time. All outlive the Forgetter, and the Forgetter
  // whatever runs on `loop`.
  Forgetter(cache::Cache& cache, net::EventLoop& loop, Millis every);
  Forgetter(const Forgetter&) = delete;
  Forgetter& operator=(const Forgetter&) = delete;
  void start() { tick_.start(every_); }
  void stop();

 private:
  void look();
  cache::Cache& cache_;
  net::EventLoop& loop_;
  const Millis every_;
  net::Timer tick_;
  bool stopped_ = false;
};

} // namespace verge::control
