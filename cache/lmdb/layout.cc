#include "cache/lmdb/layout.h"

#include <xxhash.h>

#include <algorithm>

#include "cache/lmdb/octets.h"

namespace verge::cache {
namespace {

IndexKey hash(std::string_view text, uint64_t seed) noexcept {
  const auto h = XXH3_128bits_withSeed(text.data(), text.size(), seed);
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, h);
  IndexKey key;
  std::memcpy(key.data(), canonical.digest, key.size());
  return key;
}

template <class T>
void put_big(char* out, T value) noexcept {
  for (size_t i = 0; i < sizeof(T); ++i) out[i] = static_cast<char>(value >> (8 * (sizeof(T) - 1 - i)));
}
template <class T>
T get_big(const char* in) noexcept {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>((value << 8) | static_cast<unsigned char>(in[i]));
  return value;
}

} // namespace

IndexKey index_key(std::string_view key_text, uint64_t seed) noexcept { return hash(key_text, seed); }

uint64_t values_hash(std::string_view values, uint64_t seed) noexcept {
  return XXH3_64bits_withSeed(values.data(), values.size(), seed);
}

std::string join_names(const std::vector<std::string>& fields) {
  std::string out;
  for (const auto& f : fields) {
    if (!out.empty()) out += '\n';
    out += f;
  }
  return out;
}

std::vector<std::string> split_names(std::string_view names) {
  std::vector<std::string> out;
  while (!names.empty()) {
    const size_t end = std::min(names.find('\n'), names.size());
    out.emplace_back(names.substr(0, end));
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return out;
}

std::vector<Stored> IndexRow::responses() const {
  std::vector<Stored> out;
  if (own.id != 0) out.push_back(own);
  for (const List& list : lists) {
    for (const Variant& v : list.variants) out.push_back(v.stored);
  }
  return out;
}

Stored* IndexRow::find(uint64_t id) noexcept {
  if (own.id == id) return &own;
  for (List& list : lists) {
    for (Variant& v : list.variants) {
      if (v.stored.id == id) return &v.stored;
    }
  }
  return nullptr;
}

bool IndexRow::remove(uint64_t id) {
  if (own.id == id) {
    own = {};
    return true;
  }
  for (auto list = lists.begin(); list != lists.end(); ++list) {
    if (std::erase_if(list->variants, [id](const Variant& v) { return v.stored.id == id; }) == 0) continue;
    if (list->variants.empty()) lists.erase(list);
    return true;
  }
  return false;
}

namespace {

void put_stored(Packer& p, const Stored& s) {
  p.small(s.id);
  p.small(s.bytes);
  p.small(s.site);
}

Stored take_stored(Unpacker& u) {
  Stored s;
  s.id = u.small();
  s.bytes = u.small();
  s.site = u.small();
  return s;
}

} // namespace

std::string encode(const IndexRow& row) {
  Packer p;
  put_stored(p, row.own);
  p.small(row.lists.size());
  for (const auto& list : row.lists) {
    p.text(list.names);
    p.small(list.variants.size());
    for (const auto& v : list.variants) {
      put_stored(p, v.stored);
      p.num(v.values);
      p.text(v.offers);
      if (v.offers.empty()) continue;
      p.small(v.lines.size());
      for (const uint64_t line : v.lines) p.num(line);
    }
  }
  return std::move(p.out());
}

std::optional<IndexRow> decode_index_row(std::string_view value) {
  Unpacker u(value);
  IndexRow row;
  row.own = take_stored(u);
  const size_t lists = u.count(2);
  if (lists > kMaxVaryLists) return std::nullopt;
  row.lists.resize(lists);
  for (auto& list : row.lists) {
    list.names = u.text();
    list.variants.resize(u.count(12));
    if (list.variants.empty()) return std::nullopt;
    for (auto& v : list.variants) {
      v.stored = take_stored(u);
      v.values = u.num<uint64_t>();
      v.offers = u.text();
      if (v.offers.empty()) continue;
      v.lines.resize(u.count(8));
      for (uint64_t& line : v.lines) line = u.num<uint64_t>();
    }
  }
  if (!u.ok() || !u.rest().empty()) return std::nullopt;
  return row;
}

BodyKey record_key(uint64_t id) noexcept {
  BodyKey k;
  put_big(k.octets.data(), id);
  k.size = 12;
  return k;
}

BodyKey chunk_key_from(uint64_t id, uint32_t n) noexcept {
  BodyKey k = record_key(id);
  put_big(k.octets.data() + 8, n + 1);
  return k;
}

BodyKey chunk_key(uint64_t id, uint32_t n, uint64_t checksum) noexcept {
  BodyKey k = chunk_key_from(id, n);
  put_big(k.octets.data() + 12, checksum);
  k.size = 20;
  return k;
}

std::optional<BodyKeyParts> parse_body_key(std::string_view key) noexcept {
  if (key.size() != 12 && key.size() != 20) return std::nullopt;
  BodyKeyParts parts{get_big<uint64_t>(key.data()), get_big<uint32_t>(key.data() + 8), 0};
  if ((parts.part == 0) != (key.size() == 12)) return std::nullopt;
  if (key.size() == 20) parts.checksum = get_big<uint64_t>(key.data() + 12);
  return parts;
}

namespace {
constexpr uint64_t kFormatMagic = 0x6568636165677276; // "vrgeache" as octets
}

std::string encode(const Format& f) {
  Packer p;
  p.reserve(64);
  p.num(kFormatMagic);
  p.num(f.version);
  p.num(f.order);
  p.num(f.word);
  p.num(f.chunk);
  p.num(f.seed);
  return std::move(p.out());
}

std::optional<Format> decode_format(std::string_view value) {
  Unpacker u(value);
  if (u.num<uint64_t>() != kFormatMagic) return std::nullopt;
  Format f;
  f.version = u.num<uint32_t>();
  f.order = u.num<uint32_t>();
  f.word = u.num<uint32_t>();
  f.chunk = u.num<uint32_t>();
  f.seed = u.num<uint64_t>();
  if (!u.ok() || !u.rest().empty()) return std::nullopt;
  return f;
}

std::string encode(const State& s) {
  Packer p;
  p.reserve(64);
  p.num(s.next_id);
  p.num(s.seq);
  p.num(s.entries);
  return std::move(p.out());
}

std::optional<State> decode_state(std::string_view value) {
  Unpacker u(value);
  State s;
  s.next_id = u.num<uint64_t>();
  s.seq = u.num<uint64_t>();
  s.entries = u.num<uint64_t>();
  if (!u.ok() || !u.rest().empty() || s.next_id == 0) return std::nullopt;
  return s;
}

std::string account_name(uint64_t site) {
  std::string out(kAccountPrefix);
  out.append(8, '\0');
  put_big(out.data() + kAccountPrefix.size(), site);
  return out;
}

std::optional<uint64_t> account_site(std::string_view name) {
  if (!name.starts_with(kAccountPrefix) || name.size() != kAccountPrefix.size() + 8) return std::nullopt;
  return get_big<uint64_t>(name.data() + kAccountPrefix.size());
}

IndexKey epoch_key(const Target& target, uint64_t seed) {
  Packer p;
  p.num(target.kind);
  p.text(target.host);
  p.text(target.value);
  return hash(p.out(), seed);
}

std::string encode(const EpochRow& row) {
  Packer p;
  p.num(row.target.kind);
  p.text(row.target.host);
  p.text(row.target.value);
  p.num(row.hard);
  p.num(row.soft);
  return std::move(p.out());
}

std::optional<EpochRow> decode_epoch_row(std::string_view value) {
  Unpacker u(value);
  EpochRow row;
  const auto kind = u.num<uint8_t>();
  if (kind > static_cast<uint8_t>(Target::Kind::tag)) return std::nullopt;
  row.target.kind = static_cast<Target::Kind>(kind);
  row.target.host = u.text();
  row.target.value = u.text();
  row.hard = u.num<uint64_t>();
  row.soft = u.num<uint64_t>();
  if (!u.ok() || !u.rest().empty()) return std::nullopt;
  return row;
}

} // namespace verge::cache
