#include "cache/lmdb/old_end.h"

#include <vector>

#include "cache/lmdb/lookup.h"

namespace verge::cache {
namespace {

constexpr size_t kPartsAtOnce = 1'024;    // 64 MiB of chunks
constexpr uint64_t kPagesAtOnce = 16'384; // then commit: a transaction holds what it changed in memory

} // namespace

OldEnd::Oldest OldEnd::first_from(WriteTxn& txn, uint64_t id) const {
  MDB_cursor* raw = nullptr;
  if (const int rc = mdb_cursor_open(txn.handle(), txn.env().tables().body, &raw); rc != 0) return {rc, 0};
  const Handle<MDB_cursor, mdb_cursor_close> cursor(raw);
  const BodyKey from = record_key(id);
  MDB_val key = val(from.view()), value;
  const int rc = mdb_cursor_get(raw, &key, &value, MDB_SET_RANGE);
  if (rc == MDB_NOTFOUND) return {};
  if (rc != 0) return {rc, 0};
  const auto parts = parse_body_key(view(key));
  return parts ? Oldest{0, parts->id} : Oldest{MDB_CORRUPTED, 0};
}

int OldEnd::store_again(WriteTxn& txn, uint64_t id, const Record& record, uint64_t& budget, bool& done) {
  const uint64_t cost = record.length + 1'024;
  if (cost > budget) return 0;
  // Copied out first: what LMDB points at is good until the next write only.
  std::vector<BlockRef> blocks;
  const auto count = static_cast<uint32_t>((record.length + kBlockBytes - 1) / kBlockBytes);
  for (uint32_t n = 0; n < count; ++n) {
    auto block = read_block(txn.env(), txn.handle(), id, n, Touch::all);
    if (block.get != Get::found) return 0;
    blocks.push_back(std::move(block.block));
  }
  const auto octets = [&](uint32_t n) { return std::string_view(blocks[n]->data(), blocks[n]->capacity()); };
  const uint64_t again = txn.state().next_id;
  for (uint32_t n = 0; n + 1 < count; ++n) {
    if (const int rc = txn.put_chunk(again, n, octets(n)); rc != 0) return rc;
  }
  const std::string_view last = count != 0 ? octets(count - 1) : std::string_view{};
  if (const int rc = txn.put_record(again, *record.head, record.length, last); rc != 0) return rc;
  recency_.born(again, cost);
  budget -= cost;
  done = true;
  return 0;
}

// What it is held against now it need not be held against again: it counts as new, so that older commands can be
// forgotten.
Verdict OldEnd::check(StoredHead& head) const {
  const uint64_t now = epochs_.current(); // before the look
  const Verdict verdict = epochs_.check(head.key, head.tags, head.seq);
  if (verdict == Verdict::live && head.url.empty()) head.seq = std::max(head.seq, now);
  return verdict;
}

OldEnd::Freed OldEnd::make_room(WriteTxn& txn, uint64_t pages, uint64_t second_chance_bytes, MonoTime now) {
  Freed freed;
  const uint64_t before = txn.pages_used();
  const uint64_t newest = txn.state().next_id; // what gets its second chance now is not met again
  uint64_t from = 0;
  for (uint64_t used = before; used > pages; used = txn.pages_used()) {
    if (used + kPagesAtOnce < before) {
      freed.more = true;
      return freed;
    }
    const auto [found_rc, id] = first_from(txn, from);
    freed.rc = found_rc;
    if (found_rc != 0 || id == 0 || id >= newest) return freed;
    from = id + 1;
    if (busy_(id) || !pins_.condemn(id, now)) continue;

    MDB_val value;
    int rc = txn.get_record(id, value);
    if (rc == 0) {
      if (const auto record = decode_record(id, view(value))) {
        const auto& head = *record->head;
        bool again = false;
        WriteTxn::Place place;
        rc = txn.place_of(head.key, id, place);
        if (rc == 0 && place.in_quota && recency_.read.test(id) && check(*record->head) != Verdict::dead)
          rc = store_again(txn, id, *record, second_chance_bytes, again);
        if (rc == 0 && !again && place.linked) {
          rc = txn.unlink(head.key, id);
          ++freed.evicted;
        }
      }
    } else if (rc == MDB_NOTFOUND) {
      rc = 0; // chunks whose record was never written, or was deleted in a turn before
    }
    recency_.read.clear(id);
    bool done = false;
    if (rc == 0) rc = txn.drop_parts(id, kPartsAtOnce, done);
    if (rc == 0 && !done) from = id;
    freed.rc = rc;
    if (rc != 0) return freed;
  }
  return freed;
}

} // namespace verge::cache
