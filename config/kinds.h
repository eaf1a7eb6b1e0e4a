// The kinds of value that a row can hold. A kind says its name and range for the reference, shows a default, and reads
// a node into a member. row() binds a kind to a member.
#pragma once

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <concepts>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "config/config.h"
#include "config/nearest.h"
#include "config/schema.h"
#include "config/units.h"

namespace verge::config {

inline constexpr uint64_t kKiB = 1ull << 10, kMiB = 1ull << 20, kTiB = 1ull << 40;
inline constexpr Millis kMs{1}, kDay{Seconds(86'400)};

// The words for a table that stands for yes or no.
inline bool is_off(std::string_view word) { return word == "off" || word == "false" || word == "no"; }
inline bool is_on(std::string_view word) { return word == "on" || word == "true" || word == "yes"; }

// What is wrong with a text, as the rest of a sentence that begins with the text: "must begin with /". Empty: nothing.
using Check = std::string (*)(std::string_view);

// What parse_...() says of a text; of one that came from the environment only that it doesn't fit, for it may be a
// secret that strayed into the wrong field.
inline std::string unfit(const Node& node, std::string_view text, const Error& error, std::string_view type) {
  if (node.text == text) return error.what;
  return fmt::format("\"{}\" is replaced by a value that is not a {}", node.text, type);
}

struct Text {
  Check check = nullptr;
  bool may_be_empty = false;
  bool secret = false; // never repeated in a message
  std::string_view form = "text";

  std::string type() const { return secret ? "secret text" : std::string(form); }
  std::string range() const { return ""; }
  std::string show(const std::string& value) const { return value; }
  void read(Reader& reader, const Node& node, std::string& out) const {
    auto text = reader.text(node);
    if (!text) return;
    std::string wrong;
    if (text->empty() && !may_be_empty) {
      wrong = "is empty";
    } else if (check != nullptr && !text->empty()) {
      wrong = check(*text);
    }
    if (wrong.empty()) {
      out = std::move(*text);
    } else {
      reader.fault(node.at, fmt::format("{} {}", secret ? "the value" : '"' + node.text + '"', wrong));
    }
  }
};

// A file or folder, from the configuration file's own folder.
struct Path {
  bool may_be_off = false; // the word off stays as it is

  std::string type() const { return may_be_off ? "path or off" : "path"; }
  std::string range() const { return ""; }
  std::string show(const std::string& value) const { return value; }
  void read(Reader& reader, const Node& node, std::string& out) const {
    std::string given;
    Text{}.read(reader, node, given);
    if (!given.empty()) out = may_be_off && given == "off" ? given : reader.from_base(given);
  }
};

struct Flag {
  std::string type() const { return "true or false"; }
  std::string range() const { return ""; }
  std::string show(bool value) const { return value ? "true" : "false"; }
  void read(Reader& reader, const Node& node, bool& out) const {
    const auto text = reader.text(node);
    if (!text) return;
    const auto value = parse_bool(*text);
    if (value) {
      out = *value;
    } else {
      reader.fault(node.at, unfit(node, *text, value.error(), type()));
    }
  }
};

// A whole number (Count) or octets (Size), from `least` to `most`.
struct Count {
  uint64_t least = 0, most = std::numeric_limits<uint32_t>::max();
  Result<uint64_t> (*parse)(std::string_view) = parse_count;

  bool size() const { return parse == parse_size; }
  std::string shown(uint64_t value) const { return size() ? format_size(value) : fmt::format("{}", value); }
  std::string type() const { return size() ? "size" : "whole number"; }
  std::string range() const { return fmt::format("{} .. {}", shown(least), shown(most)); }
  std::string show(uint64_t value) const { return shown(value); }
  template <std::unsigned_integral M>
  void read(Reader& reader, const Node& node, M& out) const {
    const auto text = reader.text(node);
    if (!text) return;
    const auto value = parse(*text);
    if (!value) {
      reader.fault(node.at, unfit(node, *text, value.error(), type()));
    } else if (*value < least || *value > most) {
      reader.fault(node.at, fmt::format("\"{}\" is out of range; from {} to {}", node.text, shown(least), shown(most)));
    } else {
      out = static_cast<M>(*value);
    }
  }
};
inline Count size_between(uint64_t least, uint64_t most) { return {least, most, parse_size}; }

// A size, `on` for a usual one, or `off` for 0.
struct SizeOrOff {
  Count size;
  uint64_t on = 0;

  std::string type() const { return "size, on or off"; }
  std::string range() const { return fmt::format("{}; on: {}", size.range(), size.shown(on)); }
  std::string show(uint64_t value) const { return value == 0 ? "off" : size.shown(value); }
  void read(Reader& reader, const Node& node, uint64_t& out) const {
    const auto text = reader.text(node);
    if (!text) return;
    if (const auto word = parse_bool(*text)) {
      out = *word ? on : 0;
    } else {
      size.read(reader, node, out);
    }
  }
};

struct Duration {
  Millis least{0}, most{Seconds(10ll * 31'536'000)};

  std::string type() const { return "duration"; }
  std::string range() const { return fmt::format("{} .. {}", format_duration(least), format_duration(most)); }
  std::string show(const Millis& value) const { return format_duration(value); }
  std::string show(const Seconds& value) const { return format_duration(value); }
  std::string show(const std::optional<Seconds>& value) const { return value ? format_duration(*value) : ""; }
  std::string show(const std::optional<Millis>& value) const { return value ? format_duration(*value) : ""; }
  void read(Reader& reader, const Node& node, Millis& out) const {
    const auto text = reader.text(node);
    if (!text) return;
    const auto value = parse_duration(*text);
    if (!value) {
      reader.fault(node.at, unfit(node, *text, value.error(), type()));
    } else if (*value < least || *value > most) {
      reader.fault(node.at, fmt::format("\"{}\" is out of range; from {} to {}", node.text, format_duration(least),
                                        format_duration(most)));
    } else {
      out = *value;
    }
  }
  void read(Reader& reader, const Node& node, Seconds& out) const {
    Millis value = out;
    read(reader, node, value);
    if (value % Seconds(1) != Millis(0)) {
      reader.fault(node.at, fmt::format("\"{}\" must be whole seconds", node.text));
    } else {
      out = std::chrono::duration_cast<Seconds>(value);
    }
  }
  void read(Reader& reader, const Node& node, std::optional<Seconds>& out) const {
    Seconds value{-1};
    read(reader, node, value);
    if (value >= Seconds(0)) out = value;
  }
  void read(Reader& reader, const Node& node, std::optional<Millis>& out) const {
    Millis value{-1};
    read(reader, node, value);
    if (value >= Millis(0)) out = value;
  }
};

// A part of something in percent, or a duration, or off.
struct PercentOrDuration {
  uint32_t most_percent;

  std::string type() const { return "percentage, duration or off"; }
  std::string range() const { return fmt::format("1% .. {}%", most_percent); }
  template <class M>
  std::string show(const M& value) const {
    if (value.percent > 0) return fmt::format("{}%", value.percent);
    return value.time > Millis(0) ? format_duration(value.time) : "off";
  }
  template <class M>
  void read(Reader& reader, const Node& node, M& out) const {
    const auto text = reader.text(node);
    if (!text) return;
    if (*text == "off" || *text == "false" || *text == "no") {
      out = M{};
    } else if (text->ends_with('%')) {
      const auto value = parse_count(std::string_view(*text).substr(0, text->size() - 1));
      if (!value || *value < 1 || *value > most_percent) {
        reader.fault(node.at, fmt::format("\"{}\" is out of range; {}", node.text, range()));
      } else {
        out = M{static_cast<uint32_t>(*value), Millis(0)};
      }
    } else {
      Millis time{0};
      Duration{Millis(1)}.read(reader, node, time);
      out = M{0, time};
    }
  }
};

// One of a few words, each standing for a value.
template <class M>
struct Choice {
  std::vector<std::pair<std::string_view, M>> words;

  std::string type() const { return fmt::format("{}", fmt::join(names(), " or ")); }
  std::string range() const { return ""; }
  std::string show(const M& value) const {
    for (const auto& [word, meaning] : words) {
      if (meaning == value) return std::string(word);
    }
    return "";
  }
  std::vector<std::string_view> names() const {
    std::vector<std::string_view> out;
    out.reserve(words.size());
    for (const auto& [word, meaning] : words) out.push_back(word);
    return out;
  }
  void read(Reader& reader, const Node& node, M& out) const {
    const auto text = reader.text(node);
    if (!text) return;
    for (const auto& [word, meaning] : words) {
      if (*text == word) {
        out = meaning;
        return;
      }
    }
    reader.fault(node.at, fmt::format("\"{}\" is none of {}{}", node.text, fmt::join(names(), ", "), near(*text)));
  }
  std::string near(std::string_view text) const {
    const auto word = nearest(text, names());
    return word.empty() ? "" : fmt::format("; did you mean \"{}\"?", word);
  }
};

// A mapping of its own.
template <class U>
struct Sub {
  const Table<U>& table;

  std::string type() const { return table.word ? fmt::format("mapping or {}", table.words) : "mapping"; }
  std::string range() const { return ""; }
  template <class M>
  std::string show(const M&) const {
    return "";
  }
  std::shared_ptr<const TableDoc> doc() const { return table.doc; }
  void read(Reader& reader, const Node& node, U& out) const { table.read(reader, node, out); }
  void read(Reader& reader, const Node& node, std::optional<U>& out) const { table.read(reader, node, out.emplace()); }
};

// A list of at least one value of another kind.
template <class K>
struct ListOf {
  K kind;

  std::string type() const { return doc() ? "list of mappings" : "list of " + kind.type(); }
  std::string range() const { return ""; }
  template <class M>
  std::string show(const M&) const {
    return "";
  }
  std::shared_ptr<const TableDoc> doc() const {
    if constexpr (requires { kind.doc(); }) {
      return kind.doc();
    } else {
      return nullptr;
    }
  }
  template <class M>
  void read(Reader& reader, const Node& node, std::vector<M>& out) const {
    if (!reader.expect(node, Node::Kind::list)) return;
    if (node.items.empty()) reader.fault(node.at, "the list is empty; it needs at least one value");
    for (const auto& item : node.items) {
      const Reader::Step step(reader, out.size(), *item);
      out.emplace_back(); // kept even if faulty, so that later checks count as the file does
      kind.read(reader, *item, out.back());
    }
  }
};

// One of a few words, or a list as ListOf reads it.
struct WordOrList {
  std::vector<std::string_view> words;
  Text kind;

  std::string type() const { return fmt::format("{} or list of {}", fmt::join(words, " or "), kind.type()); }
  std::string range() const { return ""; }
  std::string show(const Names& value) const { return value.word; }
  void read(Reader& reader, const Node& node, Names& out) const {
    if (node.kind == Node::Kind::list) {
      out.word.clear();
      return ListOf<Text>{kind}.read(reader, node, out.list);
    }
    const auto text = reader.text(node);
    if (!text) return;
    if (std::ranges::find(words, std::string_view(*text)) != words.end()) {
      out.word = *text;
    } else {
      reader.fault(node.at, fmt::format("\"{}\" is not {}; for a name write a list, [{}]", node.text,
                                        fmt::join(words, " or "), node.text));
    }
  }
};

// A mapping from names that the writer chooses.
template <class U>
struct MapOf {
  const Table<U>& table;
  std::string U::* name; // is given the name
  Check check;           // of the name

  std::string type() const { return "mapping of names to mappings"; }
  std::string range() const { return ""; }
  std::string show(const std::map<std::string, U>&) const { return ""; }
  std::shared_ptr<const TableDoc> doc() const { return table.doc; }
  void read(Reader& reader, const Node& node, std::map<std::string, U>& out) const {
    if (!reader.expect(node, Node::Kind::map)) return;
    if (node.members.empty()) reader.fault(node.at, "the mapping is empty; it needs at least one name");
    for (const auto& member : node.members) {
      const Reader::Step step(reader, member.key, *member.value);
      if (const auto wrong = check(member.key); !wrong.empty()) {
        reader.fault(member.at, fmt::format("the name \"{}\" {}", member.key, wrong));
      }
      U& value = out[member.key];
      value.*name = member.key;
      table.read(reader, *member.value, value);
    }
  }
};

template <class T, class M, class K>
Row<T> row(std::string_view name, M T::* member, K kind, std::string_view text) {
  Row<T> made;
  made.doc.name = name;
  made.doc.type = kind.type();
  made.doc.range = kind.range();
  made.doc.fallback = kind.show(T{}.*member);
  made.doc.text = text;
  if constexpr (requires { kind.doc(); }) made.doc.table = kind.doc();
  made.read = [member, kind = std::move(kind)](Reader& reader, const Node& node, T& out) {
    kind.read(reader, node, out.*member);
  };
  return made;
}

} // namespace verge::config
