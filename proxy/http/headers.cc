#include "proxy/http/headers.h"

#include <cstring>
#include <functional>

#include "proxy/http/octets.h"

namespace verge::http {
namespace {

bool same(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0;
}

bool lies_in(std::string_view part, std::string_view whole) noexcept {
  const std::less<const char*> before;
  return !part.empty() && !before(part.data(), whole.data()) && before(part.data(), whole.data() + whole.size());
}

} // namespace

Headers::Headers(const Headers& other) = default;
Headers& Headers::operator=(const Headers& other) = default;

void Headers::add(std::string_view name, std::string_view value) {
  if (lies_in(name, text_) || lies_in(value, text_)) { // text_ may move while it grows
    const std::string own_name(name), own_value(value);
    return add_new(own_name, own_value);
  }
  add_new(name, value);
}

void Headers::add_new(std::string_view name, std::string_view value) {
  const size_t at = text_.size();
  text_.resize_and_overwrite(at + name.size() + value.size(), [&](char* text, size_t) {
    octets::lower_to(text + at, name.data(), name.size());
    if (!value.empty()) std::memcpy(text + at + name.size(), value.data(), value.size());
    return at + name.size() + value.size(); // and not the second argument: GCC 12 gives more than was asked for
  });
  seen_ |= mark({text_.data() + at, name.size()});
  spans_.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(name.size()),
                    static_cast<uint32_t>(at + name.size()), static_cast<uint32_t>(value.size())});
}

void Headers::set(std::string_view name, std::string_view value) {
  add(name, value);
  const Span fresh = spans_.back();
  const std::string_view lowered(text_.data() + fresh.name, fresh.name_size);
  size_t kept = 0;
  bool placed = false;
  for (size_t i = 0; i + 1 < spans_.size(); ++i) {
    if (!same(at(i).name, lowered)) {
      spans_[kept++] = spans_[i];
    } else if (!placed) {
      spans_[kept++] = fresh;
      placed = true;
    }
  }
  if (!placed) spans_[kept++] = fresh;
  spans_.resize(kept);
}

void Headers::clear() noexcept {
  text_.clear();
  spans_.clear();
  seen_ = 0;
}

std::optional<std::string_view> Headers::find(std::string_view name) const noexcept {
  for (const Span& s : spans_) {
    if (s.name_size == name.size() && std::memcmp(text_.data() + s.name, name.data(), name.size()) == 0) {
      return std::string_view(text_.data() + s.value, s.value_size);
    }
  }
  return std::nullopt;
}

size_t Headers::count(std::string_view name) const noexcept {
  size_t n = 0;
  for (const Field f : *this) n += same(f.name, name) ? 1 : 0;
  return n;
}

std::string Headers::joined(std::string_view name) const {
  std::string out;
  if ((seen_ & mark(name)) == 0) return out;
  bool first = true;
  for (const Field f : *this) {
    if (!same(f.name, name)) continue;
    if (!first) out += ", ";
    first = false;
    out += f.value;
  }
  return out;
}

size_t Headers::bytes() const noexcept {
  size_t n = 0;
  for (const Span& s : spans_) n += s.name_size + s.value_size;
  return n;
}

void Headers::reserve(size_t fields, size_t octets) {
  spans_.reserve(fields);
  text_.reserve(octets);
}

} // namespace verge::http
