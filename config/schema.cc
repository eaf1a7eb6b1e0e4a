#include "config/schema.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "config/nearest.h"

namespace verge::config {
namespace {

const FieldDoc* find_field(const TableDoc& doc, std::string_view name) {
  for (const auto& field : doc.fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

std::vector<std::string_view> names_of(const TableDoc& doc) {
  std::vector<std::string_view> names;
  names.reserve(doc.fields.size());
  for (const auto& field : doc.fields) names.push_back(field.name);
  return names;
}

// Whether `name` is there under a wrong spelling: that is one fault, not a missing field as well.
bool misspelt(const TableDoc& doc, const Node& map, std::string_view name) {
  const auto names = names_of(doc);
  return std::any_of(map.members.begin(), map.members.end(), [&](const Member& member) {
    return find_field(doc, member.key) == nullptr && nearest(member.key, names) == name;
  });
}

std::string variants_of(const TableDoc& doc, uint32_t bits) {
  std::vector<std::string> names;
  for (size_t i = 0; i < doc.variants.size(); ++i) {
    if ((bits >> i & 1) != 0) names.push_back(doc.variants[i]);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

} // namespace

const Member* find_member(const Node& map, std::string_view name) {
  for (const auto& member : map.members) {
    if (member.key == name) return &member;
  }
  return nullptr;
}

void check_unknown(Reader& reader, const TableDoc& doc, const Node& map) {
  const auto names = names_of(doc);
  for (const auto& member : map.members) {
    if (find_field(doc, member.key) != nullptr) continue;
    const std::string_view hint = member.key == "<<" ? " (YAML's merge key is not read)" : "";
    reader.fault(member.at, fmt::format("unknown field \"{}\"{}{}", member.key, hint, meant(member.key, names)));
  }
}

void check_variant(Reader& reader, const TableDoc& doc, const Node& map, size_t variant) {
  for (const auto& field : doc.fields) {
    const Member* member = find_member(map, field.name);
    if (member != nullptr && (field.only >> variant & 1) == 0) {
      reader.fault(member->at,
                   fmt::format("\"{}\" is not a field of {} {}; it is one of {} {}", field.name, doc.variant_field,
                               doc.variants[variant], doc.variant_field, variants_of(doc, field.only)));
    } else if (member == nullptr && field.required != ~0u && (field.required >> variant & 1) != 0 &&
               !misspelt(doc, map, field.name)) {
      reader.fault(map.at, fmt::format("\"{}\" is missing; {} {} needs it", field.name, doc.variant_field,
                                       doc.variants[variant]));
    }
  }
}

void check_required(Reader& reader, const TableDoc& doc, const Node& map) {
  for (const auto& field : doc.fields) {
    if (field.required == ~0u && find_member(map, field.name) == nullptr && !misspelt(doc, map, field.name)) {
      reader.fault(map.at, fmt::format("\"{}\" is missing: {}", field.name, field.text));
    }
  }
}

} // namespace verge::config
