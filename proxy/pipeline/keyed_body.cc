#include "proxy/pipeline/keyed_body.h"

#include "origin/aws/digest.h"
#include "proxy/pipeline/exchange.h"

namespace verge::pipeline {

bool has_keyed_body(const Exchange& ex) { return ex.route->rules.answers_by_body(ex.request.method); }

bool gather(Exchange& ex, std::string_view octets) {
  if (!ex.keyed || ex.keyed->gave_up || ex.body_ended) return false;
  auto& body = *ex.keyed->octets;
  body += octets;
  ex.services.gathered_bytes += octets.size();
  ex.keyed->gave_up = body.size() > ex.route->rules.key_body || ex.services.gathered_bytes > KeyedBody::kTogether;
  return true;
}

void release_gathered(Exchange& ex) {
  if (!ex.keyed || !ex.keyed->octets) return;
  ex.services.gathered_bytes -= ex.keyed->octets->size();
  ex.keyed->octets.reset();
}

std::string key_of_body(const Exchange& ex) {
  const auto& headers = ex.request.headers;
  // Values can't hold a line feed, so nothing of one part can pass for another.
  std::string text = headers.joined("content-type") + "\n" + headers.joined("content-encoding") + "\n";
  text += *ex.keyed->octets;
  return "\nmethod=" + ex.request.method + "\nbody=" + origin::aws::hex(origin::aws::sha256(text));
}

} // namespace verge::pipeline
