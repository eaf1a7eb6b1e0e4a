// Packing numbers and texts into a record, and taking them out again with every length checked. Numbers in the
// machine's own order: a file from another kind of machine is set aside when the environment is opened.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace verge::cache {

class Packer {
 public:
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void num(T value) {
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    out_.append(raw, sizeof(T));
  }
  // Seven bits an octet, the lowest first.
  void small(uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<char>(value | 0x80));
    out_.push_back(static_cast<char>(value));
  }
  // Small when it is near zero, on either side.
  void near(int64_t value) { small((static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63)); }
  void text(std::string_view s) {
    small(s.size());
    out_.append(s);
  }
  void raw(std::string_view s) { out_.append(s); }
  void reserve(size_t n) { out_.reserve(n); }
  std::string& out() noexcept { return out_; }

 private:
  std::string out_;
};

// After the first thing that does not fit, ok() is false and everything reads as zero or empty.
class Unpacker {
 public:
  explicit Unpacker(std::string_view in) noexcept : in_(in) {}
  template <class T>
    requires std::is_trivially_copyable_v<T>
  T num() noexcept {
    T value{};
    if (!take(sizeof(T))) return value;
    std::memcpy(&value, last_.data(), sizeof(T));
    return value;
  }
  uint64_t small() noexcept {
    if (ok_ && !in_.empty() && static_cast<uint8_t>(in_.front()) < 0x80) { // almost always
      const auto value = static_cast<uint8_t>(in_.front());
      in_.remove_prefix(1);
      return value;
    }
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto octet = num<uint8_t>();
      if (shift == 63 && octet > 1) ok_ = false;
      value |= uint64_t{octet & 0x7fu} << shift;
      if ((octet & 0x80) == 0) return ok_ ? value : 0;
    }
    ok_ = false;
    return 0;
  }
  int64_t near() noexcept {
    const uint64_t value = small();
    return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
  }
  // A count of things that take at least `each` octets.
  size_t count(size_t each) noexcept {
    const uint64_t n = small();
    if (n > in_.size() / each) ok_ = false;
    return ok_ ? static_cast<size_t>(n) : 0;
  }
  std::string_view text() noexcept { return take(small()) ? last_ : std::string_view{}; }
  std::string_view rest() const noexcept { return in_; }
  bool ok() const noexcept { return ok_; }
  void fail() noexcept { ok_ = false; }

 private:
  bool take(uint64_t n) noexcept {
    last_ = {};
    if (!ok_ || n > in_.size()) {
      ok_ = false;
      return false;
    }
    last_ = in_.substr(0, n);
    in_.remove_prefix(n);
    return true;
  }
  std::string_view in_, last_;
  bool ok_ = true;
};

} // namespace verge::cache
