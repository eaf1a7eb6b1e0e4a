#include "origin/folder/file_path.h"

namespace verge::origin {

namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// One segment without its escapes; none if it can't be a file's name.
std::optional<std::string> file_name(std::string_view segment) {
  std::string name;
  name.reserve(segment.size());
  for (size_t i = 0; i < segment.size(); ++i) {
    char c = segment[i];
    if (c == '%') {
      if (i + 2 >= segment.size()) return std::nullopt;
      const int high = hex_value(segment[i + 1]), low = hex_value(segment[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0' || c == '/') return std::nullopt;
    name += c;
  }
  if (name.empty()) return std::nullopt;
  return name;
}

} // namespace

std::optional<std::string> file_path(std::string_view url_path) {
  if (!url_path.starts_with('/')) return std::nullopt;
  std::string out;
  bool first = true;
  while (!url_path.empty()) {
    url_path.remove_prefix(1); // the slash
    if (url_path.empty()) return out + "index.html";
    const std::string_view segment = url_path.substr(0, url_path.find('/'));
    url_path.remove_prefix(segment.size());
    const auto name = file_name(segment);
    if (!name) return std::nullopt;
    if (name->front() == '.' && !(first && *name == ".well-known")) return std::nullopt;
    first = false;
    out += *name;
    if (!url_path.empty()) out += '/';
  }
  return out;
}

} // namespace verge::origin
