#include "proxy/pipeline/log.h"

#include <random>

#include "proxy/pipeline/access_log.h"

namespace verge::pipeline {

uint64_t new_request_id() {
  thread_local std::mt19937_64 random{std::random_device{}()};
  return random();
}

std::string request_id_text(uint64_t id) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text(16, '0');
  for (auto& c : text) {
    c = kHex[id & 15];
    id >>= 4;
  }
  return text;
}

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
