// explain: what this node would do with a request, step by step in plain words. The rooms themselves walk a request
// that came over no connection, up to the point where the origin would be asked; nothing is fetched, sent or logged.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/pipeline/services.h"

namespace verge::pipeline {

struct ExplainedStep {
  std::string room;   // "route", "key", "lookup" ... as in rooms.h, and "storing"
  std::string text;   // a sentence
  std::string rfc;    // "RFC 9111 section 4.2.1"; empty: no RFC decides
  std::string config; // "edge.yaml:14 cache.ttl.default", or "default of cache.heuristic"; empty: no row decides
};
struct Explanation {
  std::string outcome; // hit, stale, revalidate, miss, pass, or the status of an answer of our own
  std::vector<ExplainedStep> steps;
};

// `head.authority` is the host as a client would send it. `done` runs on the loop, perhaps inside this call. Loop
// thread only.
void explain(Services& services, std::shared_ptr<LoopSnapshot> snapshot, http::RequestHead head,
             std::move_only_function<void(Explanation)> done);

} // namespace verge::pipeline
