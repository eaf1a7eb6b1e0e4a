// The keys of every table and the small values: what lies where. See README.md for the picture. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/invalidate/epochs.h"

namespace verge::cache {

inline constexpr uint32_t kFormatVersion = 4;

// --- index: hash of the key -> where its response lies, or its variants ---
using IndexKey = std::array<char, 16>;
// XXH3-128 with the store's own random seed, so that nobody outside can make keys that collide. A collision is only a
// miss: records hold the full text, which is compared.
IndexKey index_key(std::string_view key_text, uint64_t seed) noexcept;
// Of what a request says in one Vary field, or in all of them.
uint64_t values_hash(std::string_view values, uint64_t seed) noexcept;
std::string join_names(const std::vector<std::string>& fields);
std::vector<std::string> split_names(std::string_view names);

struct Stored { // a response: where it lies, what it takes there to the octet, whose it is
  uint64_t id = 0, bytes = 0, site = 0;
  bool operator==(const Stored&) const = default;
};
struct IndexRow {
  Stored own; // the response itself; id 0: none, only variants
  struct Variant {
    Stored stored;
    uint64_t values = 0;         // values_hash of its vary_values
    std::string offers;          // policy::offers
    std::vector<uint64_t> lines; // values_hash of each field's, where there are offers
  };
  struct List { // the variants under one list of Vary fields
    std::string names;
    std::vector<Variant> variants; // oldest first, never empty
  };
  std::vector<List> lists; // oldest first, at most kMaxVaryLists
  bool empty() const noexcept { return own.id == 0 && lists.empty(); }
  std::vector<Stored> responses() const;
  Stored* find(uint64_t id) noexcept;
  bool holds(uint64_t id) const noexcept { return id != 0 && const_cast<IndexRow*>(this)->find(id) != nullptr; }
  bool remove(uint64_t id); // true: it was there
};
inline constexpr size_t kMaxVaryLists = 8;
std::string encode(const IndexRow& row);
std::optional<IndexRow> decode_index_row(std::string_view value);

// --- body: u64 id, u32 part, both big-endian. Part 0 is the record; part n + 1 is chunk n, its key followed by the
// chunk's XXH3-64. The checksum stands in the key because a chunk's value fills its pages to the last octet. ---
struct BodyKey {
  std::array<char, 20> octets{};
  uint8_t size = 0;
  std::string_view view() const noexcept { return {octets.data(), size}; }
};
BodyKey record_key(uint64_t id) noexcept;
BodyKey chunk_key(uint64_t id, uint32_t n, uint64_t checksum) noexcept;
BodyKey chunk_key_from(uint64_t id, uint32_t n) noexcept; // sorts right before chunk n, whatever its checksum
struct BodyKeyParts {
  uint64_t id = 0;
  uint32_t part = 0;
  uint64_t checksum = 0;
};
std::optional<BodyKeyParts> parse_body_key(std::string_view key) noexcept;

// --- sys ---
struct Format { // "format": another machine's or version's file is set aside
  uint32_t version = kFormatVersion;
  uint32_t order = 0x01020304;
  uint32_t word = sizeof(size_t);
  uint32_t chunk = 0;
  uint64_t seed = 0;
};
struct State { // "state": written in every transaction that changes it
  uint64_t next_id = 1;
  uint64_t seq = 1; // the highest invalidation seq any stored response or epoch carries
  uint64_t entries = 0;
};
inline constexpr std::string_view kFormatName = "format", kStateName = "state", kAccountPrefix = "account:";
std::string account_name(uint64_t site); // what a site's responses take: encoded by Account
std::optional<uint64_t> account_site(std::string_view name);
std::string encode(const Format& f);
std::optional<Format> decode_format(std::string_view value);
std::string encode(const State& s);
std::optional<State> decode_state(std::string_view value);

// --- epoch: hash of the target -> the row ---
IndexKey epoch_key(const Target& target, uint64_t seed);
std::string encode(const EpochRow& row);
std::optional<EpochRow> decode_epoch_row(std::string_view value);

} // namespace verge::cache
