#include "proxy/server/cache_gauges.h"

#include <functional>

namespace verge::server {

std::vector<std::unique_ptr<metrics::Gauge>> cache_gauges(const cache::Cache& cache) {
  std::vector<std::unique_ptr<metrics::Gauge>> out;
  const auto gauge = [&](const char* name, const char* help, std::function<double(const cache::Cache::Stats&)> read) {
    out.push_back(std::make_unique<metrics::Gauge>(name, "", help,
                                                   [&cache, read = std::move(read)] { return read(cache.stats()); }));
  };
  gauge("verge_cache_ram_entries", "Responses held in memory.", [](const auto& s) { return double(s.ram_entries); });
  gauge("verge_cache_ram_bytes", "Octets of responses held in memory.",
        [](const auto& s) { return double(s.ram_bytes); });
  gauge("verge_cache_ram_body_bytes", "Of them, octets of bodies.", [](const auto& s) { return double(s.ram_bodies); });
  gauge("verge_cache_ram_head_bytes", "Of them, octets of heads.", [](const auto& s) { return double(s.ram_heads); });
  gauge("verge_cache_ram_index_bytes", "Of them, octets of the index.",
        [](const auto& s) { return double(s.ram_index); });
  gauge("verge_cache_disk_entries", "Responses stored on disk.", [](const auto& s) { return double(s.disk.entries); });
  gauge("verge_cache_disk_bytes", "Octets used in the store.", [](const auto& s) { return double(s.disk.bytes_used); });
  gauge("verge_cache_disk_map_bytes", "Size of the store's map.",
        [](const auto& s) { return double(s.disk.map_bytes); });
  gauge("verge_cache_disk_writable", "1 while responses are being stored on disk.",
        [](const auto& s) { return s.disk.writable ? 1.0 : 0.0; });
  gauge("verge_cache_disk_warm", "1 when the walk through the store after the start has ended.",
        [](const auto& s) { return s.disk.warm ? 1.0 : 0.0; });
  gauge("verge_cache_disk_evicted", "Responses evicted from disk since the start.",
        [](const auto& s) { return double(s.disk.evicted); });
  gauge("verge_cache_disk_stores_dropped", "Stores dropped since the start: queue full or disk not writable.",
        [](const auto& s) { return double(s.disk.stores_dropped); });
  gauge("verge_cache_disk_write_errors", "Failed write transactions since the start.",
        [](const auto& s) { return double(s.disk.write_errors); });
  gauge("verge_cache_disk_reader_waits", "How often the full store's writer waited for readers since the start.",
        [](const auto& s) { return double(s.disk.reader_waits); });
  out.push_back(std::make_unique<metrics::Gauge>(
      "verge_purges_active", "", "Invalidations that are held against what is stored: one for each target.",
      [&cache] { return double(cache.epochs().size()); }));
  gauge("verge_cache_flights", "Keys being fetched now.", [](const auto& s) { return double(s.flights); });
  return out;
}

} // namespace verge::server
