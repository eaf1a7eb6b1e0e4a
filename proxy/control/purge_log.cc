#include "proxy/control/purge_log.h"

namespace verge::control {

PurgeLog& PurgeLog::get() {
  static PurgeLog it;
  return it;
}

void PurgeLog::add(PurgeRow row) {
  const std::lock_guard lock(mutex_);
  rows_.push_front(std::move(row));
  if (rows_.size() > kKept) rows_.pop_back();
}

std::vector<PurgeRow> PurgeLog::latest() const {
  const std::lock_guard lock(mutex_);
  return {rows_.begin(), rows_.end()};
}

} // namespace verge::control
