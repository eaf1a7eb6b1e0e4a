// Reading inside one ReadScope: from a key to a response, from a body id to a chunk. Everything is checked as if a
// stranger had written it; what fails is a miss.
#pragma once

#include <lmdb.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/entry/stored_head.h"
#include "cache/lmdb/env.h"
#include "cache/lmdb/record.h"
#include "cache/lmdb/residency.h"
#include "proxy/base/block.h"
#include "proxy/http/headers.h"

namespace verge::cache {

// Are these octets of the map in memory? mincore: about 2 us, where a page fault on a cold page takes milliseconds.
bool is_resident(const MDB_val& value, uint64_t page_bytes) noexcept;

// What a reader may touch: on a loop only what is in memory, on a reader thread everything. likely: on a loop, of an id
// that Residency takes for resident: its few pages are believed, many are asked for.
enum class Touch : uint8_t { resident, likely, all };

enum class Get : uint8_t { found, none, cold, damaged };

struct Found {
  HeadRef head;
  uint64_t id = 0;
  uint64_t length = 0;
  std::vector<BlockRef> blocks; // all of the body or nothing
};

struct FindResult {
  Get get = Get::none;
  Found found;
  bool other_variants = false;
  bool absent = false;           // the index has no row of the key
  std::vector<uint64_t> damaged; // the index leads to them, and their record is missing or failed the check
};
// Of several that match (different Vary lists of one key) the one that was received last.
FindResult find_response(const Env& env, MDB_txn* txn, std::string_view key, const http::Headers& request, Touch touch,
                         Residency& residency);

// The body after `after`, in order of ids, with its record if that is the current one of its key and variant.
struct Next {
  uint64_t id = 0;              // 0: the end
  std::optional<Record> record; // none: replaced by a newer one, not yet written, or damaged. Without its body
};
Next next_response(const Env& env, MDB_txn* txn, uint64_t after);
// Every current variant of `key`.
std::vector<Next> responses_of(const Env& env, MDB_txn* txn, std::string_view key);

// Where chunk n lies; its checksum is the caller's to hold against it.
struct ChunkPlace {
  int rc = 0; // MDB_NOTFOUND: it isn't there
  MDB_val value{};
  uint64_t checksum = 0;
};
// `cursor`: of the table of bodies; near its place from a step before it costs less.
ChunkPlace locate_chunk(MDB_cursor* cursor, uint64_t id, uint32_t n) noexcept;

struct ChunkResult {
  Get get = Get::none;
  BlockRef block;
};
// Block n of the body: its chunk, and what of it lies in the record.
ChunkResult read_block(const Env& env, MDB_txn* txn, uint64_t id, uint32_t n, Touch touch);

} // namespace verge::cache
