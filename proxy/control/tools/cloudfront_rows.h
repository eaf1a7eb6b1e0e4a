// CloudFrontRows: the invalidations taken by CloudFront's API, for GetInvalidation, ListInvalidations and repeated
// CallerReferences; kept in the cache's notes across restarts. Control loop only.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/cache.h"
#include "proxy/base/executor.h"
#include "proxy/control/tools/cloudfront_xml.h"

namespace verge::control {

class CloudFrontRows {
 public:
  static constexpr size_t kKept = 1'000, kOctets = 16 << 20; // of all rows; beyond either the oldest go
  CloudFrontRows(cache::Cache& cache, Executor& loop);
  // `then` runs on the loop when the row is on disk, or that was given up (a batch repeated by its sender is then
  // applied again, which only costs hits).
  void add(CloudFrontRow row, std::move_only_function<void()> then);
  void complete(const std::string& id); // a row of ours, from now on
  const CloudFrontRow* find(std::string_view distribution, std::string_view id) const;
  const CloudFrontRow* by_reference(std::string_view distribution, std::string_view reference) const;
  // Those behind the row `marker` (empty: from the newest), newest first, at most `most`; `more`: there are others
  // behind them. None: there is no such row.
  struct Page {
    std::vector<const CloudFrontRow*> rows;
    bool more = false;
  };
  std::optional<Page> page(std::string_view distribution, std::string_view marker, size_t most) const;

 private:
  void forget_oldest(std::vector<std::string>& notes);
  cache::Cache& cache_;
  Executor& loop_;
  std::deque<CloudFrontRow> rows_; // newest first
  size_t octets_ = 0;              // of rows_
};

// Pure.
std::string cloudfront_note(const CloudFrontRow& row);
std::optional<CloudFrontRow> cloudfront_row(std::string_view note);

} // namespace verge::control
