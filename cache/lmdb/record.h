// The record of one stored response: its head and the end of its body. Pure.
//
// LMDB gives a value of more than half a page whole pages to itself, and smaller ones share theirs. So the last Block
// of a body is cut: what fills whole pages to the last octet is its chunk, and the remainder lies behind the head in
// the record, which shares its page with others. A body of 4,096 octets then takes one page and a corner of another.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cache/entry/stored_head.h"

namespace verge::cache {

struct Record {
  std::shared_ptr<StoredHead> head; // content_length and h1_text are set
  uint64_t length = 0;              // octets of body
  std::string_view tail;            // the end of its last Block, or all of that; into the value decoded from
};

// How many octets at the end of a last Block of `last` octets go into a record that takes `head` without them: what
// costs the fewest pages.
size_t tail_octets(size_t head, size_t last) noexcept;

struct EncodedRecord {
  std::string value;
  size_t chunk = 0; // octets of the last Block that do not lie in it: its chunk; 0: there is none
};
// `last`: the last Block of a body of `length` octets. `tail`: how much of it lies in the record; none: tail_octets.
EncodedRecord encode_record(uint64_t id, const StoredHead& head, uint64_t length, std::string_view last,
                            std::optional<size_t> tail = {});
// What the record will take without its body, about and rather more: for what is counted before it is made.
size_t record_head_bytes(const StoredHead& head) noexcept;
// None if anything is amiss: version, checksum (which covers the id), lengths, values out of range, surplus.
std::optional<Record> decode_record(uint64_t id, std::string_view value);

} // namespace verge::cache
