// Peer: asks one node of the fleet what it has applied, for as long as there is something to ask, and now and then
// whether it lives. What it says goes to the tracker. Control loop only.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <set>
#include <string>

#include "origin/origin.h"
#include "origin/pool/http_client.h"
#include "proxy/control/events/small_call.h"
#include "proxy/control/fleet/fleet_tracker.h"
#include "proxy/control/fleet/node_answer.h"

namespace verge::control {

struct PeerOptions {
  std::string address; // as the tracker knows it
  origin::HttpEndpoint endpoint;
  std::string ip; // connect here, whatever the endpoint's name resolves to; empty: resolve it
  std::shared_ptr<net::ClientTls> tls;
  std::string token; // empty: none
  Millis down_after{5'000};
};

class Peer {
 public:
  // `news` is called on the loop after the tracker heard something new. All outlive the peer.
  Peer(PeerOptions options, const origin::OriginContext& context, FleetTracker& tracker, std::function<void()> news);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void poke(); // there may be something to ask

 private:
  struct Call {
    std::unique_ptr<SmallCall> call;
    PurgeQuestion question;
    MonoTime begun{};
  };
  using Slot = std::list<Call>::iterator;
  void ask(bool even_nothing);
  void answered(Slot slot, Result<SmallCall::Answer> answer);
  Result<size_t> learn(const Call& call, const Result<SmallCall::Answer>& answer); // how much was new

  const PeerOptions options_;
  net::EventLoop& loop_;
  FleetTracker& tracker_;
  std::function<void()> news_;
  std::unique_ptr<net::Resolver> pinned_; // where `ip` is given
  origin::HttpClient client_;
  std::list<Call> calls_;       // under way
  std::set<std::string> asked_; // ids in them
  unsigned failures_ = 0;       // in a row
  net::Timer pause_, beat_;
};

} // namespace verge::control
