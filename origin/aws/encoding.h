// Text encodings of the AWS protocols: percent, Base64, UTF-8. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace verge::origin::aws {

// Every octet but A-Z a-z 0-9 - . _ ~ (and "/" when `keep_slash`) becomes %XX, upper case: RFC 3986 section 2.1 with
// the unreserved set of section 2.3, which is what SigV4 calls UriEncode.
std::string percent_encode(std::string_view octets, bool keep_slash);
// Resolves %XX; a "%" without two hexadecimal digits stays as it is. "+" stays "+".
std::string percent_decode(std::string_view text);

std::string base64_encode(std::string_view octets);
// Standard alphabet, padding may be missing but not be wrong; white space or anything else: nothing.
std::optional<std::string> base64_decode(std::string_view text);

// Well-formed by Unicode table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view octets) noexcept;

} // namespace verge::origin::aws
