#include "cache/lmdb/record.h"

#include <xxhash.h>

#include <algorithm>

#include "cache/lmdb/field_names.h"
#include "cache/lmdb/octets.h"
#include "proxy/base/block.h"
#include "proxy/base/pool.h"
#include "proxy/http/h1_writer.h"
#include "proxy/http/message.h"

namespace verge::cache {
namespace {

constexpr uint8_t kVersion = 4;     // 4: numbers as short as they are; a record of another version is a miss
constexpr size_t kChecked = 10;     // version, flags, checksum; the checksum covers what follows, the flags and the id
constexpr size_t kPage = 4'096;     // LMDB's
constexpr size_t kPageHead = 16;    // its own, before a value that has pages to itself
constexpr size_t kLeafMost = 2'000; // with its key: longer values have pages to themselves
constexpr size_t kRewritten = 16'384; // a 304 writes the record anew, body and all

enum Flag : uint8_t {
  kOwnH1Text = 1, // h1_text is not just the headers' lines
  kAuthorized = 2,
  kAlwaysValidate = 4,
  kNeverStale = 8,
  kImmutable = 16,
  kAllFlags = 31,
};

uint64_t checksum(uint64_t id, uint8_t flags, std::string_view rest) noexcept {
  return XXH3_64bits_withSeed(rest.data(), rest.size(), id ^ (uint64_t{flags} << 48));
}

void put_texts(Packer& p, const std::vector<std::string>& texts) {
  p.small(texts.size());
  for (const auto& text : texts) p.text(text);
}

void take_texts(Unpacker& u, std::vector<std::string>& out) {
  out.resize(u.count(1));
  for (auto& text : out) text = u.text();
}

// A name that has no number stands behind a 0.
void put_fields(Packer& p, const http::Headers& fields) {
  p.small(fields.size());
  for (const auto [name, value] : fields) {
    const uint8_t number = field_number(name);
    p.small(number);
    if (number == 0) p.text(name);
    p.text(value);
  }
}

http::Field take_field(Unpacker& u) {
  const uint64_t number = u.small();
  http::Field field;
  field.name = number == 0 ? u.text() : field_name(number);
  if (field.name.empty()) u.fail();
  field.value = u.text();
  return field;
}

void take_fields(Unpacker& u, http::Headers& out) {
  const size_t fields = u.count(2);
  if (fields == 0) return;
  size_t octets = 0;
  Unpacker ahead = u;
  for (size_t n = fields; n > 0 && ahead.ok(); --n) {
    const auto [name, value] = take_field(ahead);
    octets += name.size() + value.size();
  }
  if (!ahead.ok()) return u.fail();
  out.reserve(fields, octets);
  for (size_t n = fields; n > 0; --n) {
    const auto [name, value] = take_field(u);
    out.add(name, value);
  }
}

} // namespace

size_t tail_octets(size_t head, size_t last) noexcept {
  if (head + last <= kLeafMost) return last;
  const auto pages = [](size_t octets) { return (octets + kPageHead + kPage - 1) / kPage; };
  const size_t beyond = last < kPage - kPageHead ? last : (last + kPageHead) % kPage;
  if (head + beyond <= kLeafMost) return beyond;
  return last <= kRewritten && pages(head + last) == pages(last) ? last : 0;
}

size_t record_head_bytes(const StoredHead& head) noexcept {
  size_t n = 96 + head.key.size() + head.url.size() + head.vary_values.size() + head.headers.bytes() +
             head.headers.size() * 4 + head.control.bytes() + head.control.size() * 4;
  for (const auto& f : head.vary_fields) n += f.size() + 2;
  for (const auto& t : head.tags) n += t.size() + 2;
  return n;
}

EncodedRecord encode_record(uint64_t id, const StoredHead& head, uint64_t length, std::string_view last,
                            std::optional<size_t> tail) {
  const auto& f = head.freshness;
  const bool own_text = !http::renders_as(head.headers, head.h1_text);
  uint8_t flags = 0;
  if (own_text) flags |= kOwnH1Text;
  if (head.request_had_authorization) flags |= kAuthorized;
  if (f.always_validate) flags |= kAlwaysValidate;
  if (f.never_stale) flags |= kNeverStale;
  if (f.immutable) flags |= kImmutable;

  Packer p;
  p.reserve(kLeafMost);
  p.num(kVersion);
  p.num(flags);
  p.num(uint64_t{0});
  p.small(length);
  p.small(head.seq);
  p.small(static_cast<uint64_t>(head.status));
  p.near(head.request_time.time_since_epoch().count());
  p.near((head.response_time - head.request_time).count());
  p.near(f.initial_age.count());
  p.near(f.lifetime.count());
  p.num(static_cast<uint8_t>(f.source));
  p.near(f.stale_while_revalidate.count());
  p.near(f.stale_if_error.count());
  p.small(head.site);
  p.text(head.key);
  p.text(head.url);
  p.text(head.vary_values);
  put_texts(p, head.vary_fields);
  put_texts(p, head.tags);
  put_fields(p, head.headers);
  put_fields(p, head.control);
  if (own_text) p.text(head.h1_text);
  const size_t kept = tail ? *tail : tail_octets(p.out().size() + 3, last.size()); // 3: the number of them
  p.small(kept);
  p.raw(last.substr(last.size() - kept));

  std::string out = std::move(p.out());
  const uint64_t sum = checksum(id, flags, std::string_view(out).substr(kChecked));
  std::memcpy(out.data() + kChecked - sizeof sum, &sum, sizeof sum);
  return {std::move(out), last.size() - kept};
}

std::optional<Record> decode_record(uint64_t id, std::string_view value) {
  Unpacker u(value);
  if (u.num<uint8_t>() != kVersion) return std::nullopt;
  const auto flags = u.num<uint8_t>();
  const auto sum = u.num<uint64_t>();
  if (!u.ok() || (flags & ~kAllFlags) != 0 || sum != checksum(id, flags, u.rest())) return std::nullopt;

  Record r;
  r.head = pool::make_shared<StoredHead>();
  auto& head = *r.head;
  auto& f = head.freshness;
  r.length = u.small();
  head.seq = u.small();
  head.status = static_cast<int>(std::min<uint64_t>(u.small(), 1'000));
  if (head.status < 200 || head.status > 999) return std::nullopt;
  if (!http::status_without_body(head.status)) head.content_length = r.length;
  const int64_t asked = u.near(), took = u.near();
  head.request_time = WallTime(Millis(asked));
  head.response_time =
      WallTime(Millis(static_cast<int64_t>(static_cast<uint64_t>(asked) + static_cast<uint64_t>(took))));
  f.initial_age = Millis(u.near());
  f.lifetime = Millis(u.near());
  const auto source = u.num<uint8_t>();
  if (source > static_cast<uint8_t>(policy::LifetimeSource::negative)) return std::nullopt;
  f.source = static_cast<policy::LifetimeSource>(source);
  f.stale_while_revalidate = Seconds(u.near());
  f.stale_if_error = Seconds(u.near());
  f.always_validate = (flags & kAlwaysValidate) != 0;
  f.never_stale = (flags & kNeverStale) != 0;
  f.immutable = (flags & kImmutable) != 0;
  head.request_had_authorization = (flags & kAuthorized) != 0;
  head.site = u.small();
  head.key = u.text();
  head.url = u.text();
  head.vary_values = u.text();
  take_texts(u, head.vary_fields);
  take_texts(u, head.tags);
  take_fields(u, head.headers);
  take_fields(u, head.control);
  if ((flags & kOwnH1Text) != 0)
    head.h1_text = u.text();
  else
    head.h1_text = http::render_h1_fields(head.headers);
  const uint64_t tail = u.small();
  r.tail = u.rest();
  // No Block is longer, and what lies here is the end of one.
  if (!u.ok() || head.key.empty() || r.tail.size() != tail || tail > std::min<uint64_t>(r.length, kBlockBytes))
    return std::nullopt;
  return r;
}

} // namespace verge::cache
