// The kinds of value that only a route's caching has: names of fields, statuses with durations, directives of clients.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "config/checks.h"
#include "config/config.h"
#include "config/kinds.h"

namespace verge::config {

inline std::string in_lower_case(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

// Names of fields, kept in lower case; or off for none.
struct FieldNames {
  Check check = check_field_name;

  std::string type() const { return "list of field names, or off"; }
  std::string range() const { return ""; }
  std::string show(const std::vector<std::string>& value) const { return fmt::format("{}", fmt::join(value, ", ")); }
  std::string show(const std::optional<std::vector<std::string>>& value) const { return value ? show(*value) : ""; }
  void read(Reader& reader, const Node& node, std::vector<std::string>& out) const {
    out.clear();
    if (node.kind == Node::Kind::scalar && (node.text == "off" || node.text == "no" || node.text == "false")) return;
    ListOf<Text>{{check, false, false, "field name"}}.read(reader, node, out);
    for (size_t i = 0; i < out.size(); ++i) {
      out[i] = in_lower_case(std::move(out[i]));
      if (std::find(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(i), out[i]) !=
          out.begin() + static_cast<std::ptrdiff_t>(i)) {
        reader.fault(node.items[i]->at, fmt::format("\"{}\" is named twice", out[i]));
      }
    }
  }
  void read(Reader& reader, const Node& node, std::optional<std::vector<std::string>>& out) const {
    read(reader, node, out.emplace());
  }
};

// `surrogate-key: space`: fields that hold tags, and what stands between these; or off for none.
struct TagHeaders {
  std::string type() const { return "mapping of field names to space or comma, or off"; }
  std::string range() const { return ""; }
  std::string show(const std::vector<TagHeader>& value) const {
    std::string out;
    for (const auto& h : value) {
      out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", h.name, h.separator == ' ' ? "space" : "comma");
    }
    return out;
  }
  void read(Reader& reader, const Node& node, std::vector<TagHeader>& out) const {
    out.clear();
    if (node.kind == Node::Kind::scalar && (node.text == "off" || node.text == "no" || node.text == "false")) return;
    if (!reader.expect(node, Node::Kind::map)) return;
    if (node.members.empty()) reader.fault(node.at, "the mapping is empty; write off for no tags");
    for (const auto& member : node.members) {
      const Reader::Step step(reader, member.key, *member.value);
      if (const auto wrong = check_field_name(member.key); !wrong.empty()) {
        reader.fault(member.at, fmt::format("the name \"{}\" {}", member.key, wrong));
      }
      TagHeader& header = out.emplace_back(TagHeader{in_lower_case(member.key), ','});
      Choice<char>{{{"comma", ','}, {"space", ' '}}}.read(reader, *member.value, header.separator);
    }
  }
};

// `404: 10s, 5xx: 1s`: statuses of errors, or classes of them, with durations.
struct StatusTtls {
  std::string type() const { return "mapping of statuses to durations"; }
  std::string range() const { return "400 .. 599, 4xx, 5xx"; }
  std::string show(const std::vector<NegativeTtl>&) const { return ""; }
  // 404, or 4 for 4xx; 0: no such thing.
  static int status_of(std::string_view key) {
    if (key == "4xx" || key == "5xx") return key[0] - '0';
    const auto digits = [](char c) { return c >= '0' && c <= '9'; };
    if (key.size() != 3 || !std::ranges::all_of(key, digits)) return 0;
    const int status = (key[0] - '0') * 100 + (key[1] - '0') * 10 + (key[2] - '0');
    return status >= 400 && status <= 599 ? status : 0;
  }
  void read(Reader& reader, const Node& node, std::vector<NegativeTtl>& out) const {
    if (!reader.expect(node, Node::Kind::map)) return;
    if (node.members.empty()) reader.fault(node.at, "the mapping is empty; it needs at least one status");
    for (const auto& member : node.members) {
      const Reader::Step step(reader, member.key, *member.value);
      NegativeTtl ttl{status_of(member.key), Seconds(0)};
      if (ttl.status == 0) {
        reader.fault(member.at, fmt::format("\"{}\" is no error; a status from 400 to 599, 4xx or 5xx", member.key));
      } else if (answers_one_request(ttl.status)) {
        reader.fault(member.at, fmt::format("a {} answers one request alone, so it is never stored", ttl.status));
      }
      Duration{}.read(reader, *member.value, ttl.ttl);
      out.push_back(ttl);
    }
  }
};

// honour, ignore, or a list of those that are honoured.
struct Directives {
  static constexpr std::array<std::pair<std::string_view, bool ClientDirectives::*>, 6> kWords = {
      {{"no-cache", &ClientDirectives::no_cache},
       {"no-store", &ClientDirectives::no_store},
       {"max-age", &ClientDirectives::max_age},
       {"min-fresh", &ClientDirectives::min_fresh},
       {"max-stale", &ClientDirectives::max_stale},
       {"only-if-cached", &ClientDirectives::only_if_cached}}};
  static constexpr ClientDirectives kNone{false, false, false, false, false, false};

  std::string type() const { return "honour, ignore, or a list of directives"; }
  std::string range() const { return "no-cache, no-store, max-age, min-fresh, max-stale, only-if-cached"; }
  std::string show(const ClientDirectives&) const { return "honour"; }
  void read(Reader& reader, const Node& node, ClientDirectives& out) const {
    if (node.kind != Node::Kind::list) {
      bool honour = true;
      Choice<bool>{{{"honour", true}, {"ignore", false}}}.read(reader, node, honour);
      out = honour ? ClientDirectives{} : kNone;
      return;
    }
    Choice<bool ClientDirectives::*> choice;
    for (const auto& word : kWords) choice.words.emplace_back(word);
    std::vector<bool ClientDirectives::*> given;
    ListOf<Choice<bool ClientDirectives::*>>{choice}.read(reader, node, given);
    out = kNone;
    for (const auto member : given) {
      if (member != nullptr) out.*member = true;
    }
  }
};

} // namespace verge::config
