// Worker: one loop thread of the data plane with its listeners, its Origins and its exchanges.
#pragma once

#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cache/cache.h"
#include "proxy/net/event_loop.h"
#include "proxy/net/resolver.h"
#include "proxy/pipeline/access_log.h"
#include "proxy/pipeline/explain.h"
#include "proxy/pipeline/refetch.h"
#include "proxy/pipeline/services.h"
#include "proxy/server/acceptor.h"
#include "proxy/server/alarms.h"
#include "proxy/server/loop_clock.h"

namespace verge::server {

// What all workers share; outlives them.
struct Shared {
  const Clock& clock;
  cache::Cache& cache;
  net::Resolver& resolver;
  pipeline::AccessLog* access_log = nullptr;
  http::Intercept* intercept = nullptr;
  pipeline::Verdicts* verdicts = nullptr;
  pipeline::Failing* failing = nullptr;
};

// One address of the configuration as a worker needs it.
struct Binding {
  std::string address;
  int fd = -1; // a bound socket, taken over; -1: the worker listens there already
  std::shared_ptr<net::ServerTls> tls;
  bool client_auth = false;
};

class Worker {
 public:
  static Result<std::unique_ptr<Worker>> create(const Shared& shared);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // From the main thread; each waits until the loop has done it.
  Result<std::shared_ptr<pipeline::LoopSnapshot>> prepare(std::shared_ptr<const pipeline::Snapshot> snapshot);
  void activate(std::shared_ptr<pipeline::LoopSnapshot> snapshot, std::vector<Binding> bindings);
  // From any thread; `done` runs on the loop.
  void explain(http::RequestHead head, std::move_only_function<void(pipeline::Explanation)> done);
  // The same; `done` runs on the loop.
  void refetch(cache::HeadRef head, std::move_only_function<void(pipeline::Refetched)> done);
  void drain();         // listeners close, exchanges end
  size_t connections(); // still open
  void stop();          // ends the thread; open connections are cut

 private:
  explicit Worker(const Shared& shared, std::unique_ptr<net::EventLoop> loop);
  template <class F>
  auto call(F f) -> decltype(f());

  Shared shared_;
  std::unique_ptr<net::EventLoop> loop_;
  LoopAlarms alarms_;
  LoopClock clock_;
  pipeline::Services services_;
  std::shared_ptr<pipeline::LoopSnapshot> current_;
  std::map<std::string, std::unique_ptr<Acceptor>> acceptors_;
  std::vector<std::unique_ptr<Acceptor>> retired_; // draining
  std::thread thread_;
};

} // namespace verge::server
