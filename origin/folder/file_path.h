// Which file of a folder a URL path means. The outer of two walls against leaving the folder; the inner one is the
// kernel's (file.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace verge::origin {

// The file's path relative to the root, never empty, never with a leading slash: "/a%20b/c.css" -> "a b/c.css". A path
// that ends in a slash means that folder's index.html. None, for what is answered 404: an escape that is not "%" and
// two hex digits, NUL, a "/" written as %2F, an empty segment, ".", ".." and every other name that begins with a dot,
// but for /.well-known/ (RFC 8615). Pure.
std::optional<std::string> file_path(std::string_view url_path);

} // namespace verge::origin
