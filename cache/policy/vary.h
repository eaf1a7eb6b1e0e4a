// Vary (RFC 9111 section 4.1). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/http/headers.h"

namespace verge::policy {

// Field names of all Vary lines, lower case, sorted, no doubles; none when any member is "*"; empty when no Vary.
std::optional<std::vector<std::string>> vary_fields(const http::Headers& response);

// The request's values of these fields as one text, equal for requests that the RFC lets share a response: lines
// combined, white space round commas dropped, absence kept apart from an empty value. Accept-Encoding is reduced to the
// codings that are acceptable, sorted, whatever their weights; Accept-Language and Accept to their members with
// weights, case folded where it means nothing, sorted. A line for each field.
std::string vary_key(const std::vector<std::string>& fields, const http::Headers& request);

} // namespace verge::policy
