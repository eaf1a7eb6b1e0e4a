#include "cache/policy/validation.h"

#include <algorithm>
#include <array>

#include "cache/policy/fields.h"
#include "cache/policy/http_date.h"

namespace verge::policy {
namespace {

std::string_view without_weakness(std::string_view etag) noexcept {
  return etag.starts_with("W/") ? etag.substr(2) : etag;
}

// Calls `f(etag)` for each entity tag of a list until it says true; "*" is given as it is. A backslash escapes nothing
// here, so this is not each_member().
template <class F>
bool any_etag(std::string_view value, F&& f) {
  size_t i = 0;
  while (i < value.size()) {
    size_t end = i;
    bool quoted = false;
    for (; end < value.size() && (quoted || value[end] != ','); ++end) {
      if (value[end] == '"') quoted = !quoted;
    }
    const std::string_view member = http::trim(value.substr(i, end - i));
    if (!member.empty() && f(member)) return true;
    i = end + 1;
  }
  return false;
}

template <class F>
bool any_etag(const http::Headers& headers, std::string_view name, F&& f) {
  for (const http::Field field : headers) {
    if (field.name == name && any_etag(field.value, f)) return true;
  }
  return false;
}

bool is_content_metadata(std::string_view name) noexcept {
  constexpr std::array<std::string_view, 8> kNames = {"content-type",   "content-encoding", "content-language",
                                                      "content-length", "content-range",    "content-md5",
                                                      "content-digest", "repr-digest"};
  return std::ranges::find(kNames, name) != kNames.end();
}

bool kept_from_304(std::string_view name) noexcept {
  return name == "content-length" || name == "content-encoding" || name == "content-range";
}

} // namespace

bool has_validator(const http::Headers& stored) noexcept { return stored.has("etag") || stored.has("last-modified"); }

bool is_strong_etag(std::string_view etag) noexcept {
  if (etag.size() < 2 || etag.front() != '"' || etag.back() != '"') return false;
  return std::ranges::all_of(etag.substr(1, etag.size() - 2), [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet == 0x21 || (octet >= 0x23 && octet != 0x7f);
  });
}

bool weak_match(std::string_view a, std::string_view b) noexcept {
  return !without_weakness(a).empty() && without_weakness(a) == without_weakness(b);
}

bool strong_match(std::string_view a, std::string_view b) noexcept { return a == b && is_strong_etag(a); }

Precondition evaluate_preconditions(const http::RequestHead& request, const http::Headers& stored, WallTime now) {
  if (!request.is("GET") && !request.is("HEAD")) return Precondition::proceed;
  const http::Headers& headers = request.headers;
  const std::string_view etag = stored.get("etag").value_or("");

  if (headers.has("if-match")) {
    const bool matches =
        any_etag(headers, "if-match", [&](std::string_view e) { return e == "*" || strong_match(e, etag); });
    if (!matches) return Precondition::failed;
  } else if (const auto limit = date_field(headers, "if-unmodified-since", now)) {
    const auto modified = date_field(stored, "last-modified", now);
    if (modified && *modified > *limit) return Precondition::failed;
  }

  if (headers.has("if-none-match")) {
    const bool matches =
        any_etag(headers, "if-none-match", [&](std::string_view e) { return e == "*" || weak_match(e, etag); });
    return matches ? Precondition::not_modified : Precondition::proceed;
  }
  if (const auto since = date_field(headers, "if-modified-since", now)) {
    auto modified = date_field(stored, "last-modified", now);
    if (!modified && !stored.has("last-modified")) modified = date_field(stored, "date", now);
    if (modified && *modified <= *since) return Precondition::not_modified;
  }
  return Precondition::proceed;
}

void set_conditions(http::Headers& request, const http::Headers& stored) {
  remove_conditions(request);
  if (const auto etag = stored.get("etag")) request.add("if-none-match", *etag);
  if (const auto modified = stored.get("last-modified")) request.add("if-modified-since", *modified);
}

void remove_conditions(http::Headers& request) {
  for (const std::string_view name :
       {"if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range", "range"}) {
    request.remove(name);
  }
}

bool freshens(const http::Headers& stored, const http::Headers& not_modified) noexcept {
  const auto old_etag = stored.get("etag");
  const auto new_etag = not_modified.get("etag");
  const auto old_modified = stored.get("last-modified");
  const auto new_modified = not_modified.get("last-modified");
  // A 304 that names no validator speaks of the one we asked about.
  if (!new_etag && !new_modified) return true;
  // By weak comparison: an origin that compresses answers 200 with W/"a" and 304 with "a".
  if (old_etag && new_etag) return weak_match(*old_etag, *new_etag);
  if (!old_modified || !new_modified) return false;
  // The same moment in another form is the same validator. No two-digit year is guessed here.
  const auto modified = parse_http_date(*old_modified, WallTime{});
  const bool same =
      *old_modified == *new_modified || (modified && modified == parse_http_date(*new_modified, WallTime{}));
  if (!new_etag || !is_strong_etag(*new_etag)) return same;
  // Beside a strong tag that we never had, only a strong Last-Modified counts (RFC 9110 section 8.8.2.2).
  const auto date = date_field(stored, "date", WallTime{});
  return same && modified && date && *modified + Seconds{1} <= *date;
}

http::Headers freshened(const http::Headers& stored, const http::Headers& not_modified) {
  http::Headers update = not_modified;
  http::remove_hop_by_hop(update);
  // The octets we hold are those of the stored, weaker tag: a strong one of the same name would claim too much.
  const auto old_etag = stored.get("etag");
  const auto new_etag = update.get("etag");
  const bool keep_etag = old_etag && new_etag && !is_strong_etag(*old_etag) && is_strong_etag(*new_etag);

  http::Headers out = stored;
  out.remove("age");
  for (const http::Field field : update) {
    if (!kept_from_304(field.name) && !(keep_etag && field.name == "etag")) out.remove(field.name);
  }
  for (const http::Field field : update) {
    if (!kept_from_304(field.name) && !(keep_etag && field.name == "etag")) out.add(field.name, field.value);
  }
  return out;
}

void make_not_modified(http::Headers& out, const http::Headers& stored) {
  out.clear();
  out.reserve(stored.size(), stored.bytes());
  for (const http::Field field : stored) {
    if (!is_content_metadata(field.name)) out.add(field.name, field.value);
  }
}

http::Headers not_modified_fields(const http::Headers& stored) {
  http::Headers out;
  make_not_modified(out, stored);
  return out;
}

} // namespace verge::policy
