#include "cache/lmdb/warming.h"

#include <algorithm>

namespace verge::cache {
namespace {

constexpr int kRowsAtOnce = 4'096;    // some 60 pages
constexpr int kRecordsAtOnce = 1'024; // as many

} // namespace

bool Warming::step() {
  const ReadScope scope(parked_);
  if (scope.txn() == nullptr || !env_.intact()) return false;
  if (!index_done_) {
    index_done_ = !step_index(scope.txn());
    return true;
  }
  return step_records(scope.txn());
}

bool Warming::step_index(MDB_txn* txn) {
  MDB_cursor* raw = nullptr;
  if (mdb_cursor_open(txn, env_.tables().index, &raw) != 0) return false;
  const Handle<MDB_cursor, mdb_cursor_close> cursor(raw);
  MDB_val key = val(row_), value;
  int rc = mdb_cursor_get(raw, &key, &value, row_.empty() ? MDB_FIRST : MDB_SET_RANGE);
  for (int i = 0; rc == 0 && i < kRowsAtOnce; ++i, ++rows_) rc = mdb_cursor_get(raw, &key, &value, MDB_NEXT);
  if (rc == 0) row_ = view(key);
  return rc == 0;
}

// A record that is not longer than half a page lies in the page that getting to its key has touched.
bool Warming::step_records(MDB_txn* txn) {
  MDB_cursor* raw = nullptr;
  if (mdb_cursor_open(txn, env_.tables().body, &raw) != 0) return false;
  const Handle<MDB_cursor, mdb_cursor_close> cursor(raw);
  const BodyKey from = record_key(below_);
  MDB_val key = val(from.view()), value;
  int rc = mdb_cursor_get(raw, &key, &value, MDB_SET_RANGE);
  rc = mdb_cursor_get(raw, &key, &value, rc == 0 ? MDB_PREV : MDB_LAST);
  for (int i = 0; rc == 0 && i < kRecordsAtOnce; ++i) {
    const auto parts = parse_body_key(view(key));
    if (!parts) return false;
    const uint64_t cost = view(key).size() + std::min<uint64_t>(value.mv_size, env_.page_bytes() / 2);
    if (parts->part == 0) {
      below_ = parts->id;
      if (cost > budget_) return false;
      budget_ -= cost;
      residency_.touched(parts->id, cost);
      ++records_;
    }
    rc = mdb_cursor_get(raw, &key, &value, MDB_PREV);
  }
  return rc == 0;
}

} // namespace verge::cache
