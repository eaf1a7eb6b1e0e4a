#include "cache/policy/usual_values.h"

#include <algorithm>
#include <array>

#include "cache/policy/fields.h"
#include "proxy/http/grammar.h"

namespace verge::policy {
namespace {

template <size_t N>
bool one_of(const std::array<std::string_view, N>& words, std::string_view value) {
  return std::ranges::any_of(words, [&](std::string_view word) { return http::iequals(word, value); });
}

bool made_of(std::string_view value, std::string_view others) {
  return std::ranges::all_of(value, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || others.find(c) != others.npos;
  });
}

// One media type with parameters, as Content-Type has it too.
bool media_type(std::string_view value) {
  constexpr std::array<std::string_view, 8> kTop = {"application", "audio", "font",  "image",
                                                    "message",     "text",  "video", "multipart"};
  const std::string_view type = value.substr(0, value.find('/'));
  return one_of(kTop, type) && type.size() < value.size() && value.size() <= 64 && made_of(value, "/*+.-;= ");
}

template <size_t N>
bool only_members(const std::array<std::string_view, N>& words, std::string_view value) {
  bool all = true;
  each_member(value, [&](std::string_view member) {
    const std::string_view argument =
        member.find_first_of(";=") == member.npos ? "" : member.substr(member.find_first_of(";=") + 1);
    all = all && one_of(words, http::trim(member.substr(0, member.find_first_of(";=")))) && argument.size() <= 10 &&
          made_of(argument, ".= ");
  });
  return all;
}

} // namespace

bool is_usual(std::string_view name, std::string_view value) {
  constexpr std::array<std::string_view, 10> kAnywhere = {"undefined", "xmlhttprequest", "keep-alive", "close",
                                                          "trailers",  "false",          "true",       "chunked",
                                                          "websocket", "100-continue"};
  constexpr std::array<std::string_view, 12> kCodings = {"gzip", "x-gzip", "deflate",  "compress", "br",       "zstd",
                                                         "dcb",  "dcz",    "identity", "*",        "trailers", "exi"};
  constexpr std::array<std::string_view, 13> kDirectives = {
      "no-cache",        "no-store",  "no-transform", "only-if-cached", "max-age",  "max-stale",     "min-fresh",
      "must-revalidate", "immutable", "private",      "public",         "s-maxage", "stale-if-error"};
  constexpr std::array<std::string_view, 30> kFetch = {
      "navigate",      "no-cors", "cors",  "same-origin",     "same-site",    "cross-site",  "none",   "websocket",
      "document",      "iframe",  "frame", "script",          "style",        "image",       "empty",  "font",
      "video",         "audio",   "track", "manifest",        "embed",        "object",      "worker", "sharedworker",
      "serviceworker", "report",  "xslt",  "nested-document", "audioworklet", "paintworklet"};
  if (one_of(kAnywhere, value)) return true;
  if (name == "accept" || name == "content-type") return media_type(value);
  // A few language tags, as <html lang> and Content-Language have them.
  if (name == "accept-language") return value.size() <= 16 && made_of(value, "-,;=.* ");
  if (name == "accept-encoding" || name == "te") return only_members(kCodings, value);
  if (name == "cache-control" || name == "pragma") return only_members(kDirectives, value);
  if (name.starts_with("sec-fetch-")) return one_of(kFetch, value);
  if (name.starts_with("sec-ch-")) return value.size() <= 16 && made_of(value, "\". ");
  if (name == "priority") return value.size() <= 8 && made_of(value, "=, ");
  return false;
}

} // namespace verge::policy
