// Headers: an ordered list of header fields, names in lower case. One buffer holds all text, so a message's fields
// cost two pieces of the thread's pool and copying is cheap. Not thread-safe for writing; a const Headers may be read
// by any thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/pool.h"

namespace verge::http {

struct Field {
  std::string_view name; // lower case
  std::string_view value;
};

class Headers {
 public:
  class Iterator {
   public:
    Iterator(const Headers* h, size_t i) noexcept : headers_(h), index_(i) {}
    Field operator*() const noexcept { return headers_->at(index_); }
    Iterator& operator++() noexcept {
      ++index_;
      return *this;
    }
    bool operator==(const Iterator&) const noexcept = default;

   private:
    const Headers* headers_;
    size_t index_;
  };

  Headers() noexcept = default;
  Headers(const Headers& other);
  Headers(Headers&& other) noexcept = default;
  Headers& operator=(const Headers& other);
  Headers& operator=(Headers&& other) noexcept = default;
  ~Headers() = default;

  // Appends a line; the name is lower-cased. The caller has checked the grammar (grammar.h). Views into this Headers
  // given as arguments are safe.
  void add(std::string_view name, std::string_view value);
  // The same, where neither is a view into this Headers.
  void add_new(std::string_view name, std::string_view value);
  // Appends a line whose value `append(std::string&)` writes, into a text that the thread keeps for this.
  template <class Append>
  void add_made(std::string_view name, Append append) {
    thread_local std::string made;
    made.clear();
    append(made);
    add_new(name, made);
  }
  // Replaces all lines of that name by one, in the first's place, or appends it.
  void set(std::string_view name, std::string_view value);
  // Removes all lines of that name. Returns how many there were.
  [[gnu::always_inline]] size_t remove(std::string_view name) {
    return (seen_ & mark(name)) == 0 ? 0 : remove_if([name](const Field& f) { return f.name == name; });
  }
  // Removes every line for which pred(Field) is true, in one pass. Returns how many there were.
  template <class Pred>
  size_t remove_if(Pred pred) {
    size_t kept = 0;
    for (size_t i = 0; i < spans_.size(); ++i) {
      if (!pred(at(i))) spans_[kept++] = spans_[i];
    }
    const size_t removed = spans_.size() - kept;
    spans_.resize(kept);
    return removed;
  }
  void clear() noexcept; // keeps the buffers for the next message

  // `name` must be lower case. The first line's value; views live until the next change. Inline, so that the mark of a
  // name that stands in the code is worked out when that is compiled.
  [[gnu::always_inline]] std::optional<std::string_view> get(std::string_view name) const noexcept {
    if ((seen_ & mark(name)) == 0) return std::nullopt;
    return find(name);
  }
  [[gnu::always_inline]] bool has(std::string_view name) const noexcept {
    return (seen_ & mark(name)) != 0 && find(name).has_value();
  }
  // Whether it has a field of one of `names`, all in lower case: one look where it has none.
  template <size_t N>
  class Names {
   public:
    constexpr Names(const std::array<std::string_view, N>& names) noexcept : names_(names) {
      for (const auto name : names) marks_ |= mark(name);
    }

   private:
    friend class Headers;
    std::array<std::string_view, N> names_;
    uint64_t marks_ = 0;
  };
  template <size_t N>
  bool has_any(const Names<N>& names) const noexcept {
    if ((seen_ & names.marks_) == 0) return false;
    return std::ranges::any_of(names.names_, [this](std::string_view name) { return has(name); });
  }
  size_t count(std::string_view name) const noexcept;
  // All lines of that name joined with ", " (RFC 9110 section 5.3); empty when there is none.
  std::string joined(std::string_view name) const;

  size_t size() const noexcept { return spans_.size(); }
  bool empty() const noexcept { return spans_.empty(); }
  Field at(size_t i) const noexcept {
    const Span& s = spans_[i];
    return {{text_.data() + s.name, s.name_size}, {text_.data() + s.value, s.value_size}};
  }
  Iterator begin() const noexcept { return {this, 0}; }
  Iterator end() const noexcept { return {this, spans_.size()}; }
  // Octets of all names and values, for limits and accounts.
  size_t bytes() const noexcept;
  void reserve(size_t fields, size_t bytes);
  size_t capacity() const noexcept { return text_.capacity() + spans_.capacity() * sizeof(Span); } // octets held

 private:
  struct Span {
    uint32_t name, name_size, value, value_size;
  };
  // One of 64 marks for a name: most questions are for a field that is not there, and are answered by it alone.
  [[gnu::always_inline]] static constexpr uint64_t mark(std::string_view name) noexcept {
    if (name.empty()) return 1;
    const auto first = static_cast<unsigned char>(name.front()), last = static_cast<unsigned char>(name.back());
    return uint64_t{1} << ((name.size() * 7 + first * 5 + last * 3) % 64);
  }
  std::optional<std::string_view> find(std::string_view name) const noexcept;
  using Text = std::basic_string<char, std::char_traits<char>, pool::Allocator<char>>;
  Text text_;
  std::vector<Span, pool::Allocator<Span>> spans_;
  uint64_t seen_ = 0; // marks of all names, those removed since included
};

} // namespace verge::http
