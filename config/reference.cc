// The reference page of the configuration, from the schema's rows.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <set>

#include "config/loader.h"
#include "config/tables.h"

namespace verge::config {
namespace {

constexpr std::string_view kIntro = R"(# Every field of the configuration

Made from the rows in `config/tables.cc`; a test holds it equal to them. To make it again after a change there:
`VERGE_WRITE_REFERENCE=1 build/debug/tests/config/config_test --gtest_filter='Reference.*'`.

How values are written:

- A **size** is a number of octets with a unit: `64KB` is 64,000, `256MiB` is 256 x 1024 x 1024. Without a unit: octets.
- A **duration** always has a unit: `250ms`, `30s`, `5m`, `1h`, `1d`, `1w`, `1y` (365 days).
- **true or false** may be written `true`, `false`, `on`, `off`, `yes`, `no`.
- A **path** that does not begin with `/` is taken from the folder of the configuration file.
- `${NAME}` in any value is replaced by that environment variable, which must be set; inside `{...}` and
  `[...]` put it in quotes. `$${` stands for `${`.
- A number with a leading zero, a field given twice and a field that is not listed here are errors.

`verge check -c FILE` tells all that is wrong with a file at once, as `file:line:column: what`.
)";

std::string anchor(std::string_view title) {
  std::string out;
  for (const char c : title) {
    if ((c >= 'a' && c <= 'z') || c == '_') out += c;
    if (c >= 'A' && c <= 'Z') out += static_cast<char>(c + ('a' - 'A'));
  }
  return out;
}

std::string type_of(const FieldDoc& field) {
  return field.table ? fmt::format("[{}](#{})", field.type, anchor(field.table->title)) : field.type;
}

std::string default_of(const FieldDoc& field) {
  if (field.required != 0) return "**needed**";
  const bool word = !field.fallback.empty() && field.fallback.find(' ') == std::string::npos;
  return word ? fmt::format("`{}`", field.fallback) : field.fallback;
}

std::string variants_of(const TableDoc& table, const FieldDoc& field) {
  std::vector<std::string> names;
  for (size_t i = 0; i < table.variants.size(); ++i) {
    if ((field.only >> i & 1) != 0) names.push_back(table.variants[i]);
  }
  return names.size() == table.variants.size() ? "all" : fmt::format("{}", fmt::join(names, ", "));
}

// Tables that several fields share stand once.
void append(std::string& out, const TableDoc& table, std::set<const TableDoc*>& written) {
  if (!written.insert(&table).second) return;
  const bool variants = !table.variants.empty();
  out += table.title.empty() ? "\n## The file\n" : fmt::format("\n## {}\n\n{}\n", table.title, table.text);
  out += fmt::format("\n| Field | Type | Default | Range |{} Meaning |\n",
                     variants ? fmt::format(" {} |", "Of type") : "");
  out += fmt::format("| --- | --- | --- | --- |{} --- |\n", variants ? " --- |" : "");
  for (const auto& field : table.fields) {
    out += fmt::format("| `{}` | {} | {} | {} |", field.name, type_of(field), default_of(field), field.range);
    if (variants) out += fmt::format(" {} |", variants_of(table, field));
    out += fmt::format(" {} |\n", field.text);
  }
  for (const auto& field : table.fields) {
    if (field.table) append(out, *field.table, written);
  }
}

} // namespace

std::string reference_markdown() {
  std::string out(kIntro);
  std::set<const TableDoc*> written;
  append(out, *config_table().doc, written);
  return out;
}

} // namespace verge::config
