// intake: normal form of host and path, the same for routing, key and origin; the node's own paths.
#include "cache/policy/key.h"
#include "proxy/pipeline/rooms.h"

namespace verge::pipeline {
namespace {

Step answer_ourselves(Exchange& ex) {
  if (ex.reply) return Step::answer(ex.reply->status, "verge");
  ex.collecting = true;
  if (!ex.body_ended) {
    ex.client.want_body();
    return Step::wait();
  }
  std::string body = ex.collected_body;
  ex.release_collected();
  ex.services.intercept->handle(ex.request, std::move(body), ex.connection.address, ex.services.loop,
                                ex.alive([](Exchange& e, http::Reply r) {
                                  e.reply = std::move(r);
                                  e.wake();
                                }));
  return Step::wait();
}

} // namespace

Step intake(Exchange& ex) {
  if (!ex.collecting) {
    if (ex.request.path == "*") return Step::answer(404, "no-route"); // OPTIONS *: there is nothing to say of all sites
    if (!policy::is_normal_path(ex.request.path)) {
      auto path = policy::normal_path(ex.request.path);
      if (!path) return Step::answer(400, "bad-path");
      ex.request.path = std::move(*path);
    }
  }
  if (ex.services.intercept != nullptr && ex.services.intercept->wants(ex.request.path)) return answer_ourselves(ex);
  return Step::next();
}

} // namespace verge::pipeline
