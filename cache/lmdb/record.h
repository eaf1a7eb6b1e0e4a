// The record of one stored response: its head and, when small, its body. Pure.
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
  uint64_t length = 0;
  bool inlined = false;
  std::string_view body; // into the value decoded from; empty unless inlined
};

// `body` is put into the record when `inlined`; it is then `length` octets long.
std::string encode_record(uint64_t id, const StoredHead& head, uint64_t length, bool inlined, std::string_view body);
// What the record will take without its body, about: to decide where the body goes.
size_t record_head_bytes(const StoredHead& head) noexcept;
// None if anything is amiss: magic, version, checksum (which covers the id), lengths, values out of range, surplus.
std::optional<Record> decode_record(uint64_t id, std::string_view value);

} // namespace verge::cache
