#include "proxy/pipeline/log.h"

#include "proxy/base/request_id.h"
#include "proxy/pipeline/access_log.h"

namespace verge::pipeline {

void log_ended(Services& services, const Connected& client, const http::RequestHead& request, const Ended& ended) {
  counters::request(ended.status, ended.result, ended.bytes_sent, ended.bytes_received, ended.micros);
  if (services.access_log == nullptr) return;
  AccessRecord r;
  r.time = services.clock.wall();
  r.remote = client.address;
  const std::string id = request_id_text(ended.id);
  r.request_id = id;
  r.tls_version = client.tls_version;
  r.tls_client = client.tls_client;
  r.request = &request;
  r.status = ended.status;
  r.bytes_sent = ended.bytes_sent;
  r.micros = ended.micros;
  r.cache = ended.result;
  r.detail = ended.detail;
  if (ended.route != nullptr) r.origin = ended.route->origin;
  r.origin_status = ended.origin_status;
  r.complete = ended.complete;
  services.access_log->write(r);
}

} // namespace verge::pipeline
