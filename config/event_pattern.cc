#include "config/event_pattern.h"

#include <fmt/core.h>

#include <array>
#include <utility>

#include "config/nearest.h"

namespace verge::config {
namespace {

using Kind = EventTest::Kind;

constexpr int kDeepest = 16; // of nested fields

struct Word {
  std::string_view name;
  Kind kind;
};
constexpr std::array<Word, 6> kWords = {{{"prefix", Kind::prefix},
                                         {"suffix", Kind::suffix},
                                         {"wildcard", Kind::wildcard},
                                         {"equals-ignore-case", Kind::equals_ignore_case},
                                         {"exists", Kind::exists},
                                         {"anything-but", Kind::anything_but}}};

// One value, or a list of them.
void read_values(Reader& reader, const Node& node, std::vector<std::string>& out) {
  if (node.kind != Node::Kind::list) {
    if (auto text = reader.text(node)) out.push_back(std::move(*text));
    return;
  }
  if (!reader.expect(node, Node::Kind::list)) return;
  if (node.items.empty()) reader.fault(node.at, "the list is empty; it needs at least one value");
  for (size_t i = 0; i < node.items.size(); ++i) {
    const Reader::Step step(reader, i, *node.items[i]);
    if (auto text = reader.text(*node.items[i])) out.push_back(std::move(*text));
  }
}

const Word* find_word(Reader& reader, const Member& member) {
  std::vector<std::string_view> names;
  for (const auto& word : kWords) {
    if (word.name == member.key) return &word;
    names.push_back(word.name);
  }
  reader.fault(member.at, fmt::format("\"{}\" is no test that is known here{}", member.key, meant(member.key, names)));
  return nullptr;
}

// {prefix: x} and the like: one word, one meaning.
void read_test(Reader& reader, const Node& node, EventTest& out) {
  if (!reader.expect(node, Node::Kind::map)) return;
  if (node.members.size() != 1) return reader.fault(node.at, "a test has exactly one word, as {prefix: build/} has");
  const Member& member = node.members.front();
  const Reader::Step step(reader, member.key, *member.value);
  const Word* word = find_word(reader, member);
  if (word == nullptr) return;
  out.kind = word->kind;
  const Node& value = *member.value;
  if (word->kind == Kind::exists) {
    const auto text = reader.text(value);
    if (text && *text != "true" && *text != "false") reader.fault(value.at, "exists is true or false");
    out.exists = text && *text == "true";
  } else if (word->kind != Kind::anything_but) {
    if (auto text = reader.text(value)) out.values.push_back(std::move(*text));
  } else if (value.kind != Node::Kind::map) {
    read_values(reader, value, out.values);
  } else if (reader.expect(value, Node::Kind::map)) {
    if (value.members.size() != 1) return reader.fault(value.at, "anything-but has one value, a list, or one test");
    const Word* but = find_word(reader, value.members.front());
    if (but == nullptr) return;
    if (but->kind == Kind::exists || but->kind == Kind::anything_but) {
      return reader.fault(value.members.front().at, fmt::format("anything-but can't hold \"{}\"", but->name));
    }
    out.but = but->kind;
    read_values(reader, *value.members.front().value, out.values);
  }
}

void read_pattern(Reader& reader, const Node& node, EventPattern& out, int depth) {
  if (node.kind == Node::Kind::map) {
    if (!reader.expect(node, Node::Kind::map)) return;
    if (depth == kDeepest) return reader.fault(node.at, fmt::format("nested deeper than {}", kDeepest));
    if (node.members.empty()) return reader.fault(node.at, "the mapping is empty; name at least one field");
    for (const auto& member : node.members) {
      const Reader::Step step(reader, member.key, *member.value);
      if (member.key == "$or") {
        reader.fault(member.at, "$or is not known here; write a rule for each case");
        continue;
      }
      auto& [name, inner] = out.fields.emplace_back();
      name = member.key;
      read_pattern(reader, *member.value, inner, depth + 1);
    }
    return;
  }
  if (node.kind != Node::Kind::list) {
    if (auto text = reader.text(node)) out.any.push_back({Kind::equals, {std::move(*text)}});
    return;
  }
  if (!reader.expect(node, Node::Kind::list)) return;
  if (node.items.empty()) return reader.fault(node.at, "the list is empty; it needs at least one value");
  for (size_t i = 0; i < node.items.size(); ++i) {
    const Node& item = *node.items[i];
    const Reader::Step step(reader, i, item);
    EventTest& test = out.any.emplace_back();
    if (item.kind == Node::Kind::map) {
      read_test(reader, item, test);
    } else if (auto text = reader.text(item)) {
      test.values.push_back(std::move(*text));
    }
  }
}

} // namespace

void Pattern::read(Reader& reader, const Node& node, EventPattern& out) const {
  if (node.kind != Node::Kind::map) {
    return reader.fault(node.at, "a mapping is needed here, as {source: aws.codepipeline, detail: {state: SUCCEEDED}}");
  }
  read_pattern(reader, node, out, 0);
}

} // namespace verge::config
