// Node: everything put together: cache, workers, control loop; start, reload, drain. Used by the main thread only.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cache/cache.h"
#include "config/config.h"
#include "proxy/base/metrics.h"
#include "proxy/control/admin.h"
#include "proxy/control/events/doors.h"
#include "proxy/control/events/event_taker.h"
#include "proxy/control/events/push_endpoint.h"
#include "proxy/control/events/sns_endpoint.h"
#include "proxy/control/events/sqs_poller.h"
#include "proxy/control/fleet/fleet.h"
#include "proxy/control/forgetter.h"
#include "proxy/control/guard/guard.h"
#include "proxy/control/purge_engine.h"
#include "proxy/control/refetcher.h"
#include "proxy/control/tools/purge_doors.h"
#include "proxy/net/event_loop.h"
#include "proxy/net/resolver.h"
#include "proxy/pipeline/access_log.h"
#include "proxy/pipeline/failing.h"
#include "proxy/pipeline/verdicts.h"
#include "proxy/server/acceptor.h"
#include "proxy/server/worker.h"

namespace verge::server {

class Node {
 public:
  // Opens files, binds sockets and serves. Error config or storage: `what` says what to mend; nothing is left open.
  // `reload_requested` is called (on any thread) when the admin API asks for a reload; the main thread then calls
  // reload() and hands the result to the callback.
  using ReloadDone = std::move_only_function<void(Result<>)>;
  static Result<std::unique_ptr<Node>> start(config::Config config, const Clock& clock,
                                             std::function<void(ReloadDone)> reload_requested);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Puts a new configuration in force; on any error the old one stays. Workers, cache and admin address need a restart
  // and are refused if they changed.
  Result<> reload(config::Config config);
  void reopen_logs();
  // Stops accepting and lets exchanges end. Then poll idle().
  void drain();
  bool idle();
  const config::Config& config() const noexcept { return *config_; }
  // Where listeners are bound, with the ports the kernel chose for port 0: "127.0.0.1:41234".
  const std::vector<std::string>& bound() const noexcept { return bound_; }
  const std::string& admin_bound() const noexcept { return admin_bound_; }
  const std::string& purge_bound() const noexcept { return purge_bound_; } // invalidation.listen

 private:
  explicit Node(const Clock& clock) : clock_(clock), failing_(clock) {}
  Result<> open(config::Config config, std::function<void(ReloadDone)> reload_requested);
  Result<> open_fleet();
  Result<> open_events();
  Result<> open_queues();
  void open_aftermath();
  Result<> open_admin(std::function<void(ReloadDone)> reload_requested);
  // Binds an address of the operator's and serves it on the control loop; `bound` is told where. Error: `what` names
  // `field`.
  using Handle = std::function<std::unique_ptr<http::StreamHandler>(http::ClientStream&, http::RequestHead&&)>;
  Result<> open_control(const std::string& address, std::string_view field, Handle handle, std::string& bound,
                        std::unique_ptr<Acceptor>& acceptor);
  Result<> apply(std::shared_ptr<const config::Config> config);
  void count_sites(const config::Config& config);

  const Clock& clock_;
  pipeline::Failing failing_;
  std::shared_ptr<const config::Config> config_;
  std::unique_ptr<cache::Cache> cache_;
  std::unique_ptr<net::Resolver> resolver_;
  std::unique_ptr<pipeline::AccessLog> access_log_;
  pipeline::Verdicts verdicts_;
  std::vector<std::unique_ptr<metrics::Gauge>> gauges_;
  std::map<std::string, std::unique_ptr<metrics::Gauge>> site_gauges_; // by first host
  std::unique_ptr<control::PurgeEngine> engine_;                       // used on the control loop, which ends before it
  std::unique_ptr<control::EventTaker> taker_;                         // so is it
  std::unique_ptr<net::EventLoop> control_loop_;
  std::unique_ptr<control::Guard> guard_;
  std::unique_ptr<control::Refetcher> refetcher_;
  std::unique_ptr<control::Forgetter> forgetter_;
  std::unique_ptr<control::SnsEndpoint> sns_;
  std::unique_ptr<control::PushEndpoint> push_;
  control::Doors doors_;
  std::vector<std::unique_ptr<control::SqsPoller>> queues_;
  std::unique_ptr<control::Fleet> fleet_; // made, used and destroyed on the control loop
  std::unique_ptr<control::PurgeDoors> purge_doors_;
  std::vector<std::vector<std::string>> site_hosts_; // of each site; control loop only
  std::unique_ptr<control::AdminApi> admin_api_;
  std::unique_ptr<Acceptor> admin_, purge_acceptor_;
  std::thread control_thread_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::string> listening_; // addresses as configured
  std::vector<std::string> bound_;
  std::string admin_bound_, purge_bound_;
  std::atomic<bool> ready_{false};
};

} // namespace verge::server
