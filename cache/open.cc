#include "cache/core.h"

namespace verge::cache {

Result<std::unique_ptr<Cache>> Cache::open(const CacheOptions& options, const Clock& clock) {
  auto epochs = std::make_unique<Epochs>();
  std::unique_ptr<Disk> disk;
  if (!options.disk.path.empty()) {
    auto opened = Disk::open(options.disk, clock, *epochs);
    if (!opened) return std::unexpected(std::move(opened.error()).in("cache"));
    disk = std::move(*opened);
  }
  return make_cache(options, clock, std::move(epochs), std::move(disk));
}

} // namespace verge::cache
