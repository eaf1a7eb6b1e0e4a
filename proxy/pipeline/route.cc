// route: host + path -> route.
#include "proxy/http/grammar.h"
#include "proxy/pipeline/rooms.h"

namespace verge::pipeline {

Step find_route(Exchange& ex) {
  const auto host = http::host_of(ex.request.authority);
  const Site* site = ex.snapshot->snapshot->site(host);
  if (site == nullptr) return Step::answer(421, "unknown-host");
  ex.route = Snapshot::route(*site, ex.request.path);
  if (ex.route == nullptr) return Step::answer(404, "no-route");
  if (!ex.snapshot->origins[ex.route->origin_index]->allows(ex.request.method)) {
    return Step::answer(405, "method-not-allowed");
  }
  return Step::next();
}

} // namespace verge::pipeline
