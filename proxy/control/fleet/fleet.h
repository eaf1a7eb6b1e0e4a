// Fleet: this node among those that serve the same sites. Has purges that its APIs took carried to all by the topic,
// asks every node what it has applied, and tells the others, and people, what this one has. Control loop only.
//
//   GET /purges/<id>?wait=5            this node's word on one purge: {"node", "id", "seq", "applied_at" (ms since
//   1970),
//                                      "applied_ms", "entries"}; 404 until it is applied
//   GET /purges?id=a,b&count=a&wait=5  on several, for nodes: {"node", "instance", "purges": [...]}
//   GET /purges/<id>/nodes?wait=5&count=true
//                                      the fleet's, as this node knows it: {"id", "state", "settled", "nodes": [...]}
//
// They read, and change nothing. `wait` seconds, up to fleet.wait_limit, are waited for what is asked.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "config/config.h"
#include "proxy/base/metrics.h"
#include "proxy/control/fleet/fleet_tracker.h"
#include "proxy/control/fleet/peer.h"
#include "proxy/control/fleet/purge_counts.h"
#include "proxy/control/fleet/sns_publisher.h"
#include "proxy/control/fleet/waiting.h"
#include "proxy/control/purge_engine.h"
#include "proxy/control/small_exchange.h"

namespace verge::control {

class Fleet final : public PurgeCarrier {
 public:
  // Loop thread only, as is all else but the gauges; begins to ask the nodes. All outlive the fleet. It is the engine's
  // carrier until it is destroyed. Error config: a secret's file, the CA or the credentials can't be had.
  static Result<std::unique_ptr<Fleet>> create(const config::Fleet& options, PurgeEngine& engine, cache::Cache& cache,
                                               const origin::OriginContext& context);
  ~Fleet() override;
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  static bool wants(const http::RequestHead& head);
  // Does this token let its holder ask? That of the fleet.
  bool admits(std::string_view token) const;
  void answer(const http::RequestHead& head, SmallExchange::Answer done);

  // Has a purge been applied by all nodes that lived then? What is no longer known of counts as such.
  bool completed(const std::string& id);
  // {"state", "applied": 2, "nodes": 3, "waiting": [...], "down": [...]}; null: it was not taken here, or long ago.
  nlohmann::json summary(const std::string& id);
  // For /readyz: "fleet: 2 of 3 nodes answer"; empty: there is none.
  std::string state() const;

  // PurgeCarrier
  Result<> can_carry(const cache::Invalidation& what) const override;
  void applied(const PurgeRow& row, std::shared_ptr<const cache::Invalidation> what) override;
  void carry(const PurgeRow& row, const cache::Invalidation& what, Carried done) override;

 private:
  Fleet(const config::Fleet& options, PurgeEngine& engine, cache::Cache& cache, const origin::OriginContext& context,
        std::string token);
  Result<> open();
  Result<> use(const std::vector<std::pair<std::string, std::string>>& nodes); // address, ip
  void resolve();
  void track(const PurgeRow& row, bool taken_here);
  void remember_published(const std::string& key);
  void published(const std::string& id, const Result<std::string>& message, Carried& done);
  void news();
  void tick();
  Reply one(const std::string& id) const;
  Reply several(const PurgeQuestion& question) const;
  Reply nodes(const std::string& id);
  MonoTime now() const { return loop_.mono(); }

  const config::Fleet options_;
  PurgeEngine& engine_;
  const origin::OriginContext context_;
  net::EventLoop& loop_;
  const std::string token_, instance_;
  std::shared_ptr<net::ClientTls> tls_; // for https nodes; null: there are no others
  FleetTracker tracker_;
  PurgeCounts counts_;
  std::unique_ptr<SnsPublisher> publisher_; // null: no topic
  std::set<std::string> published_;         // ids with content; as many as the tracker knows
  std::deque<std::string> published_order_;
  std::map<std::string, std::unique_ptr<Peer>> peers_; // by address
  Waiting waiting_;
  net::Timer tick_, resolve_;
  std::atomic<size_t> live_{1}, down_{0}, unknown_{0};
  std::vector<std::unique_ptr<metrics::Gauge>> gauges_;
  std::shared_ptr<Fleet*> life_; // holds null once this is gone
};

} // namespace verge::control
