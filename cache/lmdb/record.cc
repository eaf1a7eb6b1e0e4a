#include "cache/lmdb/record.h"

#include <xxhash.h>

#include "cache/lmdb/octets.h"
#include "proxy/http/h1_writer.h"
#include "proxy/http/message.h"

namespace verge::cache {
namespace {

constexpr uint32_t kMagic = 0x31475256; // "VRG1"
constexpr uint16_t kVersion = 3;        // 3: url, site; a record of another version is a miss
constexpr size_t kChecked = 16;         // magic, version, flags, checksum; the checksum covers what follows

enum Flag : uint16_t {
  kInlined = 1,
  kOwnH1Text = 2, // h1_text is not just the headers' lines
  kAuthorized = 4,
  kAlwaysValidate = 8,
  kNeverStale = 16,
  kImmutable = 32,
  kAllFlags = 63,
};

uint64_t checksum(uint64_t id, uint16_t flags, std::string_view rest) noexcept {
  return XXH3_64bits_withSeed(rest.data(), rest.size(), id ^ (uint64_t{flags} << 48));
}

void put_fields(Packer& p, const http::Headers& fields) {
  p.num(static_cast<uint32_t>(fields.size()));
  for (const auto [name, value] : fields) {
    p.text(name);
    p.text(value);
  }
}

// `bytes`: about what they may take, to make room once.
void take_fields(Unpacker& u, http::Headers& out, size_t bytes) {
  const uint32_t fields = u.count(8);
  if (fields == 0) return;
  out.reserve(fields, bytes);
  for (uint32_t n = fields; n > 0; --n) {
    const auto name = u.text();
    out.add(name, u.text());
  }
}

} // namespace

size_t record_head_bytes(const StoredHead& head) noexcept {
  size_t n = 144 + head.key.size() + head.url.size() + head.vary_values.size() + head.headers.bytes() +
             head.headers.size() * 8 + head.control.bytes() + head.control.size() * 8;
  for (const auto& f : head.vary_fields) n += f.size() + 4;
  for (const auto& t : head.tags) n += t.size() + 4;
  return n;
}

std::string encode_record(uint64_t id, const StoredHead& head, uint64_t length, bool inlined, std::string_view body) {
  const auto& f = head.freshness;
  const bool own_text = head.h1_text != http::render_h1_fields(head.headers);
  uint16_t flags = 0;
  if (inlined) flags |= kInlined;
  if (own_text) flags |= kOwnH1Text;
  if (head.request_had_authorization) flags |= kAuthorized;
  if (f.always_validate) flags |= kAlwaysValidate;
  if (f.never_stale) flags |= kNeverStale;
  if (f.immutable) flags |= kImmutable;

  Packer p;
  p.reserve(record_head_bytes(head) + (own_text ? head.h1_text.size() : 0) + (inlined ? body.size() : 0));
  p.num(kMagic);
  p.num(kVersion);
  p.num(flags);
  p.num(uint64_t{0});
  p.num(length);
  p.num(head.seq);
  p.num(static_cast<int32_t>(head.status));
  p.num(static_cast<int64_t>(head.request_time.time_since_epoch().count()));
  p.num(static_cast<int64_t>(head.response_time.time_since_epoch().count()));
  p.num(static_cast<int64_t>(f.initial_age.count()));
  p.num(static_cast<int64_t>(f.lifetime.count()));
  p.num(static_cast<uint8_t>(f.source));
  p.num(static_cast<int64_t>(f.stale_while_revalidate.count()));
  p.num(static_cast<int64_t>(f.stale_if_error.count()));
  p.num(head.site);
  p.text(head.key);
  p.text(head.url);
  p.text(head.vary_values);
  p.num(static_cast<uint32_t>(head.vary_fields.size()));
  for (const auto& name : head.vary_fields) p.text(name);
  p.num(static_cast<uint32_t>(head.tags.size()));
  for (const auto& tag : head.tags) p.text(tag);
  put_fields(p, head.headers);
  put_fields(p, head.control);
  if (own_text) p.text(head.h1_text);
  if (inlined) p.raw(body);
  std::string out = std::move(p.out());
  const uint64_t sum = checksum(id, flags, std::string_view(out).substr(kChecked));
  std::memcpy(out.data() + 8, &sum, sizeof sum);
  return out;
}

std::optional<Record> decode_record(uint64_t id, std::string_view value) {
  Unpacker u(value);
  if (u.num<uint32_t>() != kMagic || u.num<uint16_t>() != kVersion) return std::nullopt;
  const auto flags = u.num<uint16_t>();
  const auto sum = u.num<uint64_t>();
  if (!u.ok() || (flags & ~kAllFlags) != 0 || sum != checksum(id, flags, u.rest())) return std::nullopt;

  Record r;
  r.head = std::make_shared<StoredHead>();
  auto& head = *r.head;
  auto& f = head.freshness;
  r.length = u.num<uint64_t>();
  head.seq = u.num<uint64_t>();
  head.status = u.num<int32_t>();
  if (head.status < 200 || head.status > 999) return std::nullopt;
  if (!http::status_without_body(head.status)) head.content_length = r.length;
  head.request_time = WallTime(Millis(u.num<int64_t>()));
  head.response_time = WallTime(Millis(u.num<int64_t>()));
  f.initial_age = Millis(u.num<int64_t>());
  f.lifetime = Millis(u.num<int64_t>());
  const auto source = u.num<uint8_t>();
  if (source > static_cast<uint8_t>(policy::LifetimeSource::negative)) return std::nullopt;
  f.source = static_cast<policy::LifetimeSource>(source);
  f.stale_while_revalidate = Seconds(u.num<int64_t>());
  f.stale_if_error = Seconds(u.num<int64_t>());
  f.always_validate = (flags & kAlwaysValidate) != 0;
  f.never_stale = (flags & kNeverStale) != 0;
  f.immutable = (flags & kImmutable) != 0;
  head.request_had_authorization = (flags & kAuthorized) != 0;
  head.site = u.num<uint64_t>();
  head.key = u.text();
  head.url = u.text();
  head.vary_values = u.text();
  for (uint32_t n = u.count(4); n > 0; --n) head.vary_fields.emplace_back(u.text());
  for (uint32_t n = u.count(4); n > 0; --n) head.tags.emplace_back(u.text());
  const auto before_body = [&] {
    const size_t left = u.rest().size();
    return left - ((flags & kInlined) != 0 ? std::min<size_t>(r.length, left) : 0);
  };
  take_fields(u, head.headers, before_body());
  take_fields(u, head.control, before_body());
  if ((flags & kOwnH1Text) != 0)
    head.h1_text = u.text();
  else
    head.h1_text = http::render_h1_fields(head.headers);
  r.inlined = (flags & kInlined) != 0;
  r.body = u.rest();
  if (!u.ok() || head.key.empty() || r.body.size() != (r.inlined ? r.length : 0)) return std::nullopt;
  return r;
}

} // namespace verge::cache
