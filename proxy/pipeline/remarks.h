// Remarks: what we say of a response beside its own fields: Age and Cache-Status.
#pragma once

#include <string_view>

#include "cache/policy/cache_status.h"
#include "proxy/base/clock.h"
#include "proxy/http/headers.h"

namespace verge::pipeline {

void add_age(http::Headers& out, Millis age);
void add_cache_status(http::Headers& out, const policy::CacheStatus& status);

// Of a fresh answer from memory. `age` and `lifetime` are the stored response's; `key` is said where the route wants
// it, else empty.
policy::CacheStatus memory_hit(Millis age, Millis lifetime, std::string_view key);

} // namespace verge::pipeline
