#include "cache/lmdb/write_txn.h"

#include <xxhash.h>

#include <algorithm>

#include "cache/policy/select.h"
#include "proxy/base/block.h"

namespace verge::cache {

int WriteTxn::begin() {
  MDB_txn* raw = nullptr;
  if (const int rc = mdb_txn_begin(env_.handle(), nullptr, 0, &raw); rc != 0) return rc;
  txn_.reset(raw);
  state_ = committed_;
  accounts_.clear();
  last_key_.clear();
  MDB_cursor* cursor = nullptr;
  if (const int rc = mdb_cursor_open(raw, env_.tables().body, &cursor); rc != 0) return rc;
  MDB_val key, value;
  const int rc = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
  if (rc == 0) last_key_ = view(key);
  mdb_cursor_close(cursor);
  return rc == MDB_NOTFOUND ? 0 : rc;
}

int WriteTxn::commit() {
  if (state_.next_id != committed_.next_id || state_.seq != committed_.seq || state_.entries != committed_.entries) {
    if (const int rc = put(env_.tables().sys, kStateName, encode(state_)); rc != 0) return rc;
  }
  for (const auto& [site, account] : accounts_) {
    if (const int rc = put(env_.tables().sys, account_name(site), account.encode()); rc != 0) return rc;
  }
  if (const int rc = mdb_txn_commit(txn_.release()); rc != 0) return rc;
  committed_ = state_;
  for (auto& [site, account] : accounts_) env_.accounts().put(site, std::move(account));
  accounts_.clear();
  return 0;
}

int WriteTxn::put(MDB_dbi table, std::string_view key, std::string_view value) {
  MDB_val k = val(key), v = val(value);
  return mdb_put(txn_.get(), table, &k, &v, 0);
}

int WriteTxn::erase(MDB_dbi table, std::string_view key) {
  MDB_val k = val(key);
  const int rc = mdb_del(txn_.get(), table, &k, nullptr);
  return rc == MDB_NOTFOUND ? 0 : rc;
}

int WriteTxn::put_body(const BodyKey& key, uint64_t id, std::string_view value) {
  // Appending fills pages to the end; LMDB's splits would leave them half empty.
  const bool last = key.view() > last_key_;
  MDB_val k = val(key.view()), v = val(value);
  const int rc = mdb_put(txn_.get(), env_.tables().body, &k, &v, last ? MDB_APPEND : 0);
  if (rc == 0 && last) last_key_ = key.view();
  if (id >= state_.next_id) state_.next_id = id + 1;
  return rc;
}

int WriteTxn::put_chunk(uint64_t id, uint32_t n, std::string_view octets) {
  return put_body(chunk_key(id, n, XXH3_64bits(octets.data(), octets.size())), id, octets);
}

int WriteTxn::put_record(uint64_t id, const StoredHead& head, uint64_t length, std::string_view last) {
  const auto [value, chunk] = encode_record(id, head, length, last);
  if (const int rc = put_body(record_key(id), id, value); rc != 0) return rc;
  if (chunk != 0) {
    const auto n = static_cast<uint32_t>((length - 1) / kBlockBytes);
    if (const int rc = put_chunk(id, n, last.substr(0, chunk)); rc != 0) return rc;
  }
  state_.seq = std::max(state_.seq, head.seq);
  return link(head, {id, value.size() + length - (last.size() - chunk), head.site});
}

int WriteTxn::get_record(uint64_t id, MDB_val& value) {
  const BodyKey key = record_key(id);
  MDB_val k = val(key.view());
  return mdb_get(txn_.get(), env_.tables().body, &k, &value);
}

int WriteTxn::replace_head(const StoredHead& old_head, uint64_t length, const StoredHead& head) {
  uint64_t id = 0;
  if (const int rc = find_id(old_head, id); rc != 0) return rc;
  MDB_val value;
  if (const int rc = id == 0 ? MDB_NOTFOUND : get_record(id, value); rc != 0) return rc;
  const auto stored = decode_record(id, view(value));
  // The same response, wherever it lies by now: a second chance gives it another id.
  if (!stored || stored->length != length || stored->head->key != old_head.key ||
      stored->head->response_time != old_head.response_time || stored->head->request_time != old_head.request_time)
    return MDB_NOTFOUND;
  const size_t tail = stored->tail.size();
  const std::string encoded = encode_record(id, head, length, stored->tail, tail).value; // its chunks stay as they are
  if (const int rc = unlink(old_head.key, id); rc != 0) return rc;
  if (const int rc = put_body(record_key(id), id, encoded); rc != 0) return rc;
  state_.seq = std::max(state_.seq, head.seq);
  return link(head, {id, encoded.size() + length - tail, head.site});
}

int WriteTxn::get_index(const IndexKey& key, std::optional<IndexRow>& row) {
  MDB_val k = val(key), value;
  const int rc = mdb_get(txn_.get(), env_.tables().index, &k, &value);
  row.reset();
  if (rc == 0) row = decode_index_row(view(value)); // a damaged row counts as none and is written anew
  return rc == MDB_NOTFOUND ? 0 : rc;
}

int WriteTxn::set_index(const IndexKey& key, const IndexRow& row) {
  const std::string_view k(key.data(), key.size());
  return row.empty() ? erase(env_.tables().index, k) : put(env_.tables().index, k, encode(row));
}

int WriteTxn::find_id(const StoredHead& head, uint64_t& id) {
  std::optional<IndexRow> row;
  const int rc = get_index(index_key(head.key, env_.seed()), row);
  id = 0;
  if (rc != 0 || !row) return rc;
  if (head.vary_fields.empty()) {
    id = row->own.id;
    return 0;
  }
  const auto list = std::ranges::find(row->lists, join_names(head.vary_fields), &IndexRow::List::names);
  if (list == row->lists.end()) return 0;
  const uint64_t values = values_hash(head.vary_values, env_.seed());
  const auto variant = std::ranges::find(list->variants, values, &IndexRow::Variant::values);
  if (variant != list->variants.end()) id = variant->stored.id;
  return 0;
}

int WriteTxn::place_of(std::string_view key, uint64_t id, Place& place) {
  std::optional<IndexRow> row;
  const int rc = get_index(index_key(key, env_.seed()), row);
  const Stored* stored = row ? row->find(id) : nullptr;
  place.linked = stored != nullptr;
  place.in_quota = stored != nullptr && id >= account(stored->site).cut();
  return rc;
}

Account& WriteTxn::account(uint64_t site) {
  const auto it = accounts_.find(site);
  return it != accounts_.end() ? it->second : accounts_.emplace(site, env_.accounts().get(site)).first->second;
}

template <class Change>
void WriteTxn::change_account(uint64_t site, const Change& change) {
  Account& changed = account(site);
  state_.entries -= std::min(state_.entries, changed.entries());
  change(changed);
  state_.entries += changed.entries();
}

int WriteTxn::set_row(const IndexKey& key, const IndexRow& row, const std::vector<Stored>& before) {
  const auto after = row.responses();
  for (const Stored& s : before) {
    if (std::ranges::find(after, s) == after.end())
      change_account(s.site, [&](Account& of) { of.remove(s.id, s.bytes); });
  }
  for (const Stored& s : after) {
    if (std::ranges::find(before, s) == before.end())
      change_account(s.site, [&](Account& of) { of.add(s.id, s.bytes, env_.accounts().quota(s.site)); });
  }
  return set_index(key, row);
}

void WriteTxn::trim() {
  for (const uint64_t site : env_.accounts().sites())
    change_account(site, [&](Account& of) { of.trim(env_.accounts().quota(site)); });
}

int WriteTxn::link(const StoredHead& head, const Stored& stored) {
  const IndexKey primary = index_key(head.key, env_.seed());
  std::optional<IndexRow> found;
  if (const int rc = get_index(primary, found); rc != 0) return rc;
  IndexRow row = std::move(found).value_or(IndexRow{});
  const auto before = row.responses();
  if (head.vary_fields.empty()) {
    // The origin does not vary any more: variants are out of use, and lie unreachable until the old end.
    row.lists.clear();
    row.own = stored;
    return set_row(primary, row, before);
  }
  row.own = {}; // nor may a response from before it varied answer for all
  std::string names = join_names(head.vary_fields);
  auto list = std::ranges::find(row.lists, names, &IndexRow::List::names);
  if (list == row.lists.end()) {
    if (row.lists.size() == kMaxVaryLists) row.lists.erase(row.lists.begin());
    row.lists.push_back({std::move(names), {}});
    list = row.lists.end() - 1;
  }
  list->variants.push_back(variant_of(head, stored));
  const uint64_t values = list->variants.back().values;
  std::erase_if(list->variants, [&](const auto& v) { return v.values == values && v.stored.id != stored.id; });
  for (size_t n = row.responses().size(); n > most_variants_.most; --n) row.remove(least_used(row, stored.id));
  return set_row(primary, row, before);
}

IndexRow::Variant WriteTxn::variant_of(const StoredHead& head, const Stored& stored) const {
  IndexRow::Variant out;
  out.stored = stored;
  out.values = values_hash(head.vary_values, env_.seed());
  out.offers = policy::offers(head.vary_fields, head.vary_values, head.headers);
  if (out.offers.empty()) return out;
  std::string_view values = head.vary_values;
  for (size_t i = 0; i < head.vary_fields.size(); ++i) {
    out.lines.push_back(values_hash(policy::take_line(values), env_.seed()));
  }
  return out;
}

// The oldest that was not read since it was stored, else the oldest; never `kept`.
uint64_t WriteTxn::least_used(const IndexRow& row, uint64_t kept) const {
  uint64_t unread = UINT64_MAX, oldest = UINT64_MAX;
  for (const auto& [id, bytes, site] : row.responses()) {
    if (id == kept) continue;
    oldest = std::min(oldest, id);
    if (most_variants_.read == nullptr || !most_variants_.read->test(id)) unread = std::min(unread, id);
  }
  return unread != UINT64_MAX ? unread : oldest;
}

int WriteTxn::unlink(std::string_view key, uint64_t id) {
  const IndexKey at = index_key(key, env_.seed());
  std::optional<IndexRow> row;
  if (const int rc = get_index(at, row); rc != 0 || !row || id == 0) return rc;
  const auto before = row->responses();
  return row->remove(id) ? set_row(at, *row, before) : 0;
}

int WriteTxn::unlink_values(std::string_view key, std::string_view values) {
  const IndexKey at = index_key(key, env_.seed());
  std::optional<IndexRow> row;
  if (const int rc = get_index(at, row); rc != 0 || !row) return rc;
  const auto before = row->responses();
  const uint64_t hash = values_hash(values, env_.seed());
  if (values.empty()) row->own = {};
  for (auto& list : row->lists) std::erase_if(list.variants, [hash](const auto& v) { return v.values == hash; });
  std::erase_if(row->lists, [](const auto& list) { return list.variants.empty(); });
  return row->responses().size() != before.size() ? set_row(at, *row, before) : 0;
}

int WriteTxn::drop_parts(uint64_t id, size_t limit, bool& done) {
  done = false;
  MDB_cursor* raw = nullptr;
  if (const int rc = mdb_cursor_open(txn_.get(), env_.tables().body, &raw); rc != 0) return rc;
  const Handle<MDB_cursor, mdb_cursor_close> cursor(raw);
  const BodyKey from = record_key(id);
  int rc = 0;
  while (limit-- > 0) {
    MDB_val key = val(from.view()), value;
    rc = mdb_cursor_get(raw, &key, &value, MDB_SET_RANGE);
    const auto parts = rc == 0 ? parse_body_key(view(key)) : std::nullopt;
    if (rc == MDB_NOTFOUND || (rc == 0 && (!parts || parts->id != id))) {
      done = true;
      rc = 0;
      break;
    }
    if (rc == 0) rc = mdb_cursor_del(raw, 0);
    if (rc != 0) break;
  }
  return rc;
}

} // namespace verge::cache
