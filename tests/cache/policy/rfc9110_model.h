// A slow and literal reading of RFC 9110 as far as a cache needs it: lists (5.6.1), dates (5.6.7), conditions (13),
// ranges (14); and of references (RFC 3986 section 5). Nothing of cache/policy is used.
#pragma once

#include "tests/cache/policy/model_values.h"

namespace verge::model {

Text lower(Text s);
Text trimmed(const Text& s);
std::vector<Text> values_of(const FieldLines& lines, const Text& name);
bool has(const FieldLines& lines, const Text& name);
bool is_token(const Text& s);
// Section 5.6.1: members that are not empty. House: a quote that is never closed is an octet like others.
std::vector<Text> list_of(const Text& value);
std::vector<Text> list_of(const FieldLines& lines, const Text& name);

// Section 5.6.7, the three forms. Cut to whole seconds, as they are written.
std::optional<Second> date_of(const Text& text, Millisecond now);
// Of a field that has one line and a valid date.
std::optional<Second> date_field(const FieldLines& lines, const Text& name, Millisecond now);

bool strong(const Text& etag);                     // section 8.8.3
bool weakly_equal(const Text& a, const Text& b);   // section 8.8.3.2
bool strongly_equal(const Text& a, const Text& b); // section 8.8.3.2
enum class Outcome : uint8_t { perform, not_modified, failed };
Outcome conditions(const Message& request, const FieldLines& stored, Millisecond now); // section 13.2.2

enum class Part : uint8_t { whole, some, unsatisfiable };
struct Octets {
  Part part = Part::whole;
  std::set<uint64_t> wanted; // each octet that is asked for, one by one
};
// Section 14.2 with If-Range (13.1.5). `most_ranges`: the house ignores a Range with more.
Octets octets_asked(const FieldLines& request, const FieldLines& stored, uint64_t length, size_t most_ranges,
                    Millisecond now);

// RFC 3986 section 5.2.2, for http and https: "scheme://host/path?query" of what `reference` means seen from the base,
// if that has the same origin. The base has no default port and a path in normal form.
struct Base {
  Text scheme, authority, path;
  std::optional<Text> query;
};
std::optional<Text> same_origin_target(const Base& base, const Text& reference);

} // namespace verge::model
