// What a configuration may hold, stated once: a Table is a mapping, a Row one of its fields. The parser, the messages
// and the reference page all come from the rows (config/tables.h); a default is whatever the bound struct says.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/reader.h"

namespace verge::config {

struct TableDoc;

// The part of a Row that people read.
struct FieldDoc {
  std::string name, type, fallback, range, text;
  std::shared_ptr<const TableDoc> table; // of the mapping (or of each, in a list) that is the value
  uint32_t only = ~0u, required = 0;     // variants: see Table
};

struct TableDoc {
  std::string title; // "sites[].routes[].cache"
  std::string text;
  std::string variant_field;         // "type": a field whose value decides which other fields there are
  std::vector<std::string> variants; // its values; bit i of `only` and `required` stands for variants[i]
  std::vector<FieldDoc> fields;
};

template <class T>
struct Row {
  FieldDoc doc;
  std::function<void(Reader&, const Node&, T&)> read;

  // In every mapping of this kind, or in these variants.
  Row required(uint32_t variants = ~0u) && {
    doc.required = variants;
    doc.fallback = "";
    return std::move(*this);
  }
  Row only(uint32_t variants) && {
    doc.only = variants;
    return std::move(*this);
  }
  Row fallback(std::string said) && { // where the struct's value isn't the whole truth
    doc.fallback = std::move(said);
    return std::move(*this);
  }
};

template <class T>
struct Table {
  std::shared_ptr<const TableDoc> doc;
  std::vector<Row<T>> rows;
  // A word that may stand in place of the whole mapping, like `cache: off`.
  std::function<bool(std::string_view word, T&)> word;
  std::string_view words = "off";          // those that `word` knows, for the reference
  std::function<size_t(const T&)> variant; // index into doc->variants; only where doc->variant_field is set

  Table(TableDoc about, std::vector<Row<T>> fields) : rows(std::move(fields)) {
    for (const auto& row : rows) about.fields.push_back(row.doc);
    doc = std::make_shared<const TableDoc>(std::move(about));
  }
  void read(Reader& reader, const Node& node, T& out) const;
};

// The parts of read() that don't depend on T.
const Member* find_member(const Node& map, std::string_view name);
void check_unknown(Reader& reader, const TableDoc& doc, const Node& map);
void check_variant(Reader& reader, const TableDoc& doc, const Node& map, size_t variant);
void check_required(Reader& reader, const TableDoc& doc, const Node& map);

template <class T>
void Table<T>::read(Reader& reader, const Node& node, T& out) const {
  if (word && node.kind == Node::Kind::scalar && word(node.text, out)) return;
  if (!reader.expect(node, Node::Kind::map)) return;
  check_unknown(reader, *doc, node);
  const auto read_row = [&](const Row<T>& row) {
    const Member* member = find_member(node, row.doc.name);
    if (member == nullptr) return false;
    const Reader::Step step(reader, row.doc.name, *member->value);
    row.read(reader, *member->value, out);
    return !reader.faulty(reader.path());
  };
  bool variant_known = false;
  for (const auto& row : rows) {
    if (row.doc.name == doc->variant_field) variant_known = read_row(row);
  }
  for (const auto& row : rows) {
    if (row.doc.name == doc->variant_field) continue;
    // A field of another variant is reported as that, not also for its value.
    if (variant_known && (row.doc.only >> variant(out) & 1) == 0) continue;
    read_row(row);
  }
  if (variant_known) check_variant(reader, *doc, node, variant(out));
  check_required(reader, *doc, node);
}

} // namespace verge::config
