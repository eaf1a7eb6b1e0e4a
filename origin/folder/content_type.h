// What a file is, by its name.
#pragma once

#include <string_view>

namespace verge::origin {

// Content-Type by the extension, whatever its case; text has "; charset=utf-8". An unknown or missing extension:
// "application/octet-stream". Pure.
std::string_view content_type(std::string_view file_name) noexcept;

// Cache-Control by the name. A name that carries a hash of the content (as bundlers write: app.3f9a1c2b.js,
// index-BfX3k9aQ.js) never means other octets: a year and immutable. HTML is asked for anew each time, since it is what
// names the other files. All else may be a minute old. Pure.
std::string_view cache_control(std::string_view file_name) noexcept;

// The rule for "carries a hash", rather missing one than seeing one that is none (a date, a version, a word). The name
// is cut at "." and "-"; the first part never counts. A hash is a part of 8 to 64 hex digits, among them a letter and a
// digit (webpack, Parcel), or, for scripts, styles, fonts and their like, a last part before the extension of just 8
// letters, digits and "_" with an upper-case letter and a digit before a letter (Vite, esbuild). Pure.
bool has_content_hash(std::string_view file_name) noexcept;

} // namespace verge::origin
