#include "origin/folder/content_type.h"

#include <algorithm>
#include <array>

#include "proxy/http/grammar.h"

namespace verge::origin {

namespace {

struct Type {
  std::string_view extension, type;
};

// Sorted by extension. Source: the IANA media type registry; for scripts RFC 9239, for fonts RFC 8081.
constexpr auto kTypes = std::to_array<Type>({
    {"7z", "application/x-7z-compressed"},
    {"aac", "audio/aac"},
    {"apng", "image/apng"},
    {"atom", "application/atom+xml; charset=utf-8"},
    {"avi", "video/x-msvideo"},
    {"avif", "image/avif"},
    {"bmp", "image/bmp"},
    {"bz2", "application/x-bzip2"},
    {"css", "text/css; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"doc", "application/msword"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"eot", "application/vnd.ms-fontobject"},
    {"epub", "application/epub+zip"},
    {"flac", "audio/flac"},
    {"gif", "image/gif"},
    {"glb", "model/gltf-binary"},
    {"gltf", "model/gltf+json"},
    {"gz", "application/gzip"},
    {"heic", "image/heic"},
    {"htm", "text/html; charset=utf-8"},
    {"html", "text/html; charset=utf-8"},
    {"ico", "image/vnd.microsoft.icon"},
    {"ics", "text/calendar; charset=utf-8"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript; charset=utf-8"},
    {"json", "application/json"},
    {"jsonld", "application/ld+json"},
    {"jxl", "image/jxl"},
    {"m3u8", "application/vnd.apple.mpegurl"},
    {"m4a", "audio/mp4"},
    {"m4s", "video/iso.segment"},
    {"m4v", "video/mp4"},
    {"map", "application/json"},
    {"md", "text/markdown; charset=utf-8"},
    {"mid", "audio/midi"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"mov", "video/quicktime"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"mpd", "application/dash+xml"},
    {"mpeg", "video/mpeg"},
    {"oga", "audio/ogg"},
    {"ogg", "audio/ogg"},
    {"ogv", "video/ogg"},
    {"opus", "audio/ogg"},
    {"otf", "font/otf"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"ppt", "application/vnd.ms-powerpoint"},
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"rss", "application/rss+xml; charset=utf-8"},
    {"rtf", "application/rtf"},
    {"svg", "image/svg+xml; charset=utf-8"},
    {"tar", "application/x-tar"},
    {"tif", "image/tiff"},
    {"tiff", "image/tiff"},
    {"toml", "application/toml"},
    {"ts", "video/mp2t"},
    {"ttf", "font/ttf"},
    {"txt", "text/plain; charset=utf-8"},
    {"vtt", "text/vtt; charset=utf-8"},
    {"wasm", "application/wasm"},
    {"wav", "audio/wav"},
    {"weba", "audio/webm"},
    {"webm", "video/webm"},
    {"webmanifest", "application/manifest+json"},
    {"webp", "image/webp"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"xhtml", "application/xhtml+xml; charset=utf-8"},
    {"xls", "application/vnd.ms-excel"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"xml", "application/xml; charset=utf-8"},
    {"yaml", "application/yaml"},
    {"yml", "application/yaml"},
    {"zip", "application/zip"},
    {"zst", "application/zstd"},
});
static_assert(std::ranges::is_sorted(kTypes, {}, &Type::extension));

// What bundlers write with an 8 character hash that is not hex.
constexpr auto kBundled = std::to_array<std::string_view>({"css", "js", "map", "mjs", "svg", "wasm", "woff", "woff2"});

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_letter(char c) { return is_upper(c) || (c >= 'a' && c <= 'z'); }

std::string_view base_name(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}
std::string_view extension_of(std::string_view name) {
  const size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}

bool is_hex_hash(std::string_view part) {
  if (part.size() < 8 || part.size() > 64) return false;
  const auto hex = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); };
  return std::ranges::all_of(part, hex) && std::ranges::any_of(part, is_digit) && std::ranges::any_of(part, is_letter);
}

bool is_bundler_hash(std::string_view part) {
  if (part.size() != 8 || std::ranges::none_of(part, is_upper)) return false;
  bool digit_before_letter = false;
  for (size_t i = 0; i < part.size(); ++i) {
    if (!is_digit(part[i]) && !is_letter(part[i]) && part[i] != '_') return false;
    if (i > 0 && is_digit(part[i - 1]) && is_letter(part[i])) digit_before_letter = true;
  }
  return digit_before_letter;
}

} // namespace

std::string_view content_type(std::string_view file_name) noexcept {
  const std::string_view extension = extension_of(base_name(file_name));
  std::array<char, 16> lower{};
  if (extension.size() <= lower.size()) {
    std::ranges::transform(extension, lower.begin(), http::lower);
    const std::string_view wanted(lower.data(), extension.size());
    const auto at = std::ranges::lower_bound(kTypes, wanted, {}, &Type::extension);
    if (at != kTypes.end() && at->extension == wanted) return at->type;
  }
  return "application/octet-stream";
}

bool has_content_hash(std::string_view file_name) noexcept {
  const std::string_view name = base_name(file_name);
  const std::string_view extension = extension_of(name);
  if (extension.empty()) return false;
  std::string_view stem = name.substr(0, name.size() - extension.size() - 1);
  std::string_view part;
  size_t cut = stem.find_first_of(".-");
  while (cut != std::string_view::npos) {
    stem.remove_prefix(cut + 1);
    cut = stem.find_first_of(".-");
    part = stem.substr(0, cut);
    if (is_hex_hash(part)) return true;
  }
  return is_bundler_hash(part) && std::ranges::find(kBundled, extension) != kBundled.end();
}

std::string_view cache_control(std::string_view file_name) noexcept {
  if (content_type(file_name).starts_with("text/html")) return "public, max-age=0, must-revalidate";
  return has_content_hash(file_name) ? "public, max-age=31536000, immutable" : "public, max-age=60";
}

} // namespace verge::origin
