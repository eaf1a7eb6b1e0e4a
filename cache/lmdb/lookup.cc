#include "cache/lmdb/lookup.h"

#include <sys/mman.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "cache/lmdb/layout.h"
#include "cache/lmdb/record.h"
#include "cache/policy/select.h"

namespace verge::cache {

bool is_resident(const MDB_val& value, uint64_t page_bytes) noexcept {
  const auto begin = reinterpret_cast<uintptr_t>(value.mv_data) & ~(page_bytes - 1);
  const auto end = reinterpret_cast<uintptr_t>(value.mv_data) + value.mv_size;
  std::array<unsigned char, 64> pages;
  for (uintptr_t at = begin; at < end;) {
    const size_t n = std::min<size_t>((end - at + page_bytes - 1) / page_bytes, pages.size());
    if (::mincore(reinterpret_cast<void*>(at), n * page_bytes, pages.data()) != 0) return false;
    if (!std::all_of(pages.begin(), pages.begin() + static_cast<std::ptrdiff_t>(n),
                     [](unsigned char p) { return (p & 1) != 0; }))
      return false;
    at += n * page_bytes;
  }
  return true;
}

namespace {

// Values of up to about half a page stand in the tree's own leaf, which getting there has touched already: that is what
// Residency is for. Where it is asked, what it says holds for a page or two beside as well: to be wrong about them
// costs one read, to ask about them a system call each time.
bool may_touch(const Env& env, const MDB_val& value, Touch touch) noexcept {
  if (touch == Touch::all || value.mv_size < env.page_bytes() / 2 - 64) return true;
  return (touch == Touch::likely && value.mv_size <= 2 * env.page_bytes()) || is_resident(value, env.page_bytes());
}

int get(MDB_txn* txn, MDB_dbi table, MDB_val key, MDB_val& value) { return mdb_get(txn, table, &key, &value); }

// As the index row tells it. The record is asked again: these are hashes.
bool may_answer(const IndexRow::Variant& variant, const std::vector<std::string>& fields, uint64_t seed,
                policy::Asker& asker) {
  std::string_view mine = asker.values(fields);
  if (values_hash(mine, seed) == variant.values) return true;
  if (variant.lines.size() != fields.size()) return false; // it has no offers
  std::string_view offers = variant.offers;
  for (size_t i = 0; i < fields.size(); ++i) {
    const std::string_view offer = policy::take_line(offers);
    if (values_hash(policy::take_line(mine), seed) != variant.lines[i] && !asker.settles(fields[i], offer))
      return false;
  }
  return true;
}

std::optional<IndexRow> get_row(const Env& env, MDB_txn* txn, const IndexKey& key) {
  MDB_val value;
  if (get(txn, env.tables().index, val(key), value) != 0) return std::nullopt;
  auto row = decode_index_row(view(value));
  if (!row) return row;
  for (const Stored& stored : row->responses()) {
    if (env.accounts().is_cut(stored.site, stored.id)) row->remove(stored.id); // beyond its site's quota: gone
  }
  return row;
}

// The last Block of the body that `record` is of; `chunk`: where what does not lie in the record is.
ChunkResult last_block(const Env& env, const Record& record, const ChunkPlace& chunk, Touch touch) {
  const uint64_t size = (record.length - 1) % kBlockBytes + 1;
  if (chunk.rc != 0 || chunk.value.mv_size + record.tail.size() != size) return {Get::damaged, {}};
  if (chunk.value.mv_size != 0 && !may_touch(env, chunk.value, touch)) return {Get::cold, {}};
  BlockRef block = BlockRef::make(size);
  if (chunk.value.mv_size != 0) std::memcpy(block->data(), chunk.value.mv_data, chunk.value.mv_size);
  if (!record.tail.empty()) std::memcpy(block->data() + chunk.value.mv_size, record.tail.data(), record.tail.size());
  // Over the copy: the octets that are checked are the octets that are served. The tail is part of the record's.
  if (chunk.value.mv_size != 0 && XXH3_64bits(block->data(), chunk.value.mv_size) != chunk.checksum)
    return {Get::damaged, {}};
  return {Get::found, std::move(block)};
}

} // namespace

FindResult find_response(const Env& env, MDB_txn* txn, std::string_view key, const http::Headers& request, Touch touch,
                         Residency& residency) {
  FindResult result;
  const auto row = get_row(env, txn, index_key(key, env.seed()));
  result.absent = !row;
  if (!row) return result;
  MDB_cursor* raw = nullptr;
  if (mdb_cursor_open(txn, env.tables().body, &raw) != 0) return result;
  const Handle<MDB_cursor, mdb_cursor_close> cursor(raw); // goes down the tree once: a body lies beside its record
  Record best;
  if (touch == Touch::resident) touch = Touch::likely; // no id is gone to that is not
  policy::Asker asker(request);
  const auto consider = [&](uint64_t id) {
    if (touch != Touch::all && !residency.likely(id)) return false;
    const BodyKey at = record_key(id);
    MDB_val where = val(at.view()), value;
    if (mdb_cursor_get(raw, &where, &value, MDB_SET) != 0) {
      result.damaged.push_back(id);
      return true;
    }
    if (!may_touch(env, value, touch)) return false;
    if (touch == Touch::all) residency.touched(id, value.mv_size + env.page_bytes());
    auto record = decode_record(id, view(value));
    if (!record) {
      result.damaged.push_back(id);
      return true;
    }
    const auto& head = *record->head; // another one: hashes that collide
    if (head.key != key || !asker.selects(head.vary_fields, head.vary_values, head.headers)) return true;
    if (best.head && best.head->response_time >= head.response_time) return true;
    best = std::move(*record);
    result.found.id = id;
    return true;
  };
  const auto cold = [&] {
    result = {};
    result.get = Get::cold;
    return result;
  };
  if (row->own.id != 0 && !consider(row->own.id)) return cold();
  for (const auto& list : row->lists) {
    result.other_variants = true;
    const auto fields = split_names(list.names);
    for (const auto& variant : list.variants) {
      if (may_answer(variant, fields, env.seed(), asker) && !consider(variant.stored.id)) return cold();
    }
  }
  if (!best.head) return result;

  auto& found = result.found;
  found.length = best.length;
  found.head = std::move(best.head);
  if (best.length > 0 && best.length <= kBlockBytes) {
    const bool whole = best.tail.size() == best.length;
    auto block = last_block(env, best, whole ? ChunkPlace{} : locate_chunk(raw, found.id, 0), touch);
    if (block.get == Get::cold) return cold();
    if (block.get != Get::found) {
      result.damaged.push_back(found.id);
      result.found = {};
      return result;
    }
    found.blocks.push_back(std::move(block.block));
  }
  result.get = Get::found;
  return result;
}

namespace {

// None: damaged, or not the current one of its key and variant.
std::optional<Record> current_record(const Env& env, MDB_txn* txn, uint64_t id, const MDB_val& value) {
  auto record = decode_record(id, view(value));
  if (!record) return record;
  const auto row = get_row(env, txn, index_key(record->head->key, env.seed()));
  if (!row || !row->holds(id)) return std::nullopt;
  record->tail = {};
  return record;
}

} // namespace

Next next_response(const Env& env, MDB_txn* txn, uint64_t after) {
  MDB_cursor* raw = nullptr;
  if (mdb_cursor_open(txn, env.tables().body, &raw) != 0) return {};
  const Handle<MDB_cursor, mdb_cursor_close> cursor(raw);
  const BodyKey from = record_key(after + 1);
  MDB_val key = val(from.view()), value;
  if (mdb_cursor_get(raw, &key, &value, MDB_SET_RANGE) != 0) return {};
  const auto parts = parse_body_key(view(key));
  if (!parts) return {};
  // Without part 0 its record is not written yet, or gone.
  return {parts->id, parts->part == 0 ? current_record(env, txn, parts->id, value) : std::nullopt};
}

std::vector<Next> responses_of(const Env& env, MDB_txn* txn, std::string_view key) {
  std::vector<Next> out;
  const auto row = get_row(env, txn, index_key(key, env.seed()));
  if (!row) return out;
  const auto add = [&](uint64_t id) {
    const BodyKey at = record_key(id);
    MDB_val value;
    if (id == 0 || get(txn, env.tables().body, val(at.view()), value) != 0) return;
    auto record = current_record(env, txn, id, value);
    if (record && record->head->key == key) out.push_back({id, std::move(record)});
  };
  for (const Stored& stored : row->responses()) add(stored.id);
  return out;
}

ChunkPlace locate_chunk(MDB_cursor* cursor, uint64_t id, uint32_t n) noexcept {
  ChunkPlace place;
  const BodyKey from = chunk_key_from(id, n);
  MDB_val key = val(from.view());
  place.rc = mdb_cursor_get(cursor, &key, &place.value, MDB_SET_RANGE);
  if (place.rc != 0) return place;
  const auto parts = parse_body_key(view(key));
  if (!parts || parts->id != id || parts->part != n + 1) {
    place.rc = MDB_NOTFOUND;
    return place;
  }
  place.checksum = parts->checksum;
  return place;
}

ChunkResult read_block(const Env& env, MDB_txn* txn, uint64_t id, uint32_t n, Touch touch) {
  MDB_cursor* raw = nullptr;
  if (mdb_cursor_open(txn, env.tables().body, &raw) != 0) return {};
  const Handle<MDB_cursor, mdb_cursor_close> cursor(raw);
  ChunkPlace place = locate_chunk(raw, id, n);
  if (place.rc == 0 && place.value.mv_size == kBlockBytes) { // all of it
    if (!may_touch(env, place.value, touch)) return {Get::cold, {}};
    BlockRef block = BlockRef::copy_of(view(place.value));
    if (XXH3_64bits(block->data(), kBlockBytes) != place.checksum) return {Get::damaged, {}};
    return {Get::found, std::move(block)};
  }
  const BodyKey at = record_key(id);
  MDB_val value;
  if (get(txn, env.tables().body, val(at.view()), value) != 0) return {};
  if (!may_touch(env, value, touch)) return {Get::cold, {}};
  const auto record = decode_record(id, view(value));
  if (!record) return {Get::damaged, {}};
  if (record->length == 0 || n != (record->length - 1) / kBlockBytes) return {}; // it is not the last
  if (place.rc == MDB_NOTFOUND) place = {};
  auto block = last_block(env, *record, place, touch);
  if (block.get == Get::damaged && place.value.mv_size == 0) block.get = Get::none; // its chunk is gone
  return block;
}

} // namespace verge::cache
