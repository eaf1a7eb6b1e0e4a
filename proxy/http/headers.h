// Headers: an ordered list of header fields, names in lower case. One buffer holds all text, so a message's fields
// cost two allocations and copying is cheap. Not thread-safe for writing; a const Headers may be read by any thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

  // Appends a line; the name is lower-cased. The caller has checked the grammar (grammar.h). Views into this Headers
  // given as arguments are safe.
  void add(std::string_view name, std::string_view value);
  // Appends a line whose name is in lower case and whose value `append(std::string&)` writes in place, at the end of
  // what it is given: no text is made twice.
  template <class Append>
  void add_made(std::string_view name, Append append) {
    const size_t at = text_.size();
    text_.append(name);
    const size_t value = text_.size();
    append(text_);
    push({static_cast<uint32_t>(at), static_cast<uint32_t>(name.size()), static_cast<uint32_t>(value),
          static_cast<uint32_t>(text_.size() - value)});
  }
  // Replaces all lines of that name by one, in the first's place, or appends it.
  void set(std::string_view name, std::string_view value);
  // Removes all lines of that name. Returns how many there were.
  size_t remove(std::string_view name);
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

  // `name` must be lower case. The first line's value; views live until the next change.
  std::optional<std::string_view> get(std::string_view name) const noexcept {
    if ((seen_ & mark(name)) == 0) return std::nullopt;
    return find(name);
  }
  bool has(std::string_view name) const noexcept { return get(name).has_value(); }
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
  Field at(size_t i) const noexcept;
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
  static constexpr uint64_t mark(std::string_view name) noexcept {
    if (name.empty()) return 1;
    const auto first = static_cast<unsigned char>(name.front()), last = static_cast<unsigned char>(name.back());
    return uint64_t{1} << ((name.size() * 7 + first * 5 + last * 3) % 64);
  }
  std::optional<std::string_view> find(std::string_view name) const noexcept;
  void push(const Span& span);
  std::string text_;
  std::vector<Span> spans_;
  uint64_t seen_ = 0; // marks of all names, those removed since included
};

} // namespace verge::http
