// WriteTxn: one write transaction and what is done inside one: chunks, records, and the index that leads to them.
// Writer thread only. All return LMDB's codes; after any but 0 and MDB_NOTFOUND, abort.
#pragma once

#include <lmdb.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cache/lmdb/env.h"
#include "cache/lmdb/id_bits.h"
#include "cache/lmdb/layout.h"
#include "cache/lmdb/record.h"
#include "proxy/base/handle.h"

namespace verge::cache {

// How many responses one key may have, and which were read since they were stored (null: unknown): beyond it the least
// used goes.
struct MostVariants {
  size_t most = SIZE_MAX;
  const IdBits* read = nullptr;
};

class WriteTxn {
 public:
  // `committed`: the state as the last commit left it; brought up to date by commit().
  WriteTxn(Env& env, State& committed, MostVariants most_variants = {})
      : env_(env), committed_(committed), state_(committed), most_variants_(most_variants) {}
  WriteTxn(const WriteTxn&) = delete;
  WriteTxn& operator=(const WriteTxn&) = delete;

  int begin();
  int commit(); // writes the state if it changed
  MDB_txn* handle() const noexcept { return txn_.get(); }
  State& state() noexcept { return state_; }
  uint64_t pages_used() const { return env_.pages_used(txn_.get()); }
  const Env& env() const noexcept { return env_; }

  int put_chunk(uint64_t id, uint32_t n, std::string_view octets);
  // Writes the record and the last Block, and makes the index lead to them; what it led to before lies unreachable
  // until the old end. `last`: empty if that Block was put as a chunk already.
  int put_record(uint64_t id, const StoredHead& head, uint64_t length, std::string_view last);
  // Another head for the stored response that `old_head` describes. MDB_NOTFOUND: it is not stored (any more).
  int replace_head(const StoredHead& old_head, uint64_t length, const StoredHead& head);
  // The id the index holds for the variant that `head` is; 0: none.
  int find_id(const StoredHead& head, uint64_t& id);
  // Does the index of `key` lead to `id`, and is that within its site's quota?
  struct Place {
    bool linked = false, in_quota = false;
  };
  int place_of(std::string_view key, uint64_t id, Place& place);
  int get_record(uint64_t id, MDB_val& value);
  // Takes it out of the index, if that leads to it.
  int unlink(std::string_view key, uint64_t id);
  // All variants of `key` whose values are `values`.
  int unlink_values(std::string_view key, std::string_view values);
  // Brings every site within its quota: after that was changed.
  void trim();
  // Deletes at most `limit` parts of `id`, the record first. `done` when none is left.
  int drop_parts(uint64_t id, size_t limit, bool& done);

  int put(MDB_dbi table, std::string_view key, std::string_view value);
  int erase(MDB_dbi table, std::string_view key);

 private:
  int put_body(const BodyKey& key, uint64_t id, std::string_view value);
  int link(const StoredHead& head, const Stored& stored);
  int get_index(const IndexKey& key, std::optional<IndexRow>& row);
  int set_index(const IndexKey& key, const IndexRow& row); // an empty row is deleted
  // The same, and the accounts with it; `before`: the responses that the row held.
  int set_row(const IndexKey& key, const IndexRow& row, const std::vector<Stored>& before);
  Account& account(uint64_t site);
  template <class Change>
  void change_account(uint64_t site, const Change& change);
  IndexRow::Variant variant_of(const StoredHead& head, const Stored& stored) const;
  uint64_t least_used(const IndexRow& row, uint64_t kept) const;

  Env& env_;
  State& committed_;
  State state_;
  MostVariants most_variants_;
  std::unordered_map<uint64_t, Account> accounts_; // those that changed
  Handle<MDB_txn, mdb_txn_abort> txn_;
  std::string last_key_; // no body key sorts after it: what does is appended
};

} // namespace verge::cache
