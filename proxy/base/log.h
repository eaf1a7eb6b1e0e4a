// The error log: one line each, to standard error or a file, with time, level and part. For the operator; the access
// log is another thing (proxy/pipeline/access_log.h). Thread-safe. Never logs Authorization, Cookie, keys or bodies.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string_view>

#include "proxy/base/result.h"

namespace verge::log {

enum class Level : uint8_t { debug, info, warn, error };

// Sends lines at `level` and above to `path` ("" or "/dev/stderr": standard error). Error: the file can't be opened.
Result<> open(std::string_view path, Level level);
bool enabled(Level level) noexcept;
// "debug", "info", "warn", "error"; anything else is info.
Level level_from(std::string_view name) noexcept;
// `part` is the folder or room that speaks: "lmdb", "sns", "tls". Control characters in `text` are escaped.
void line(Level level, std::string_view part, std::string_view text);

template <class... A>
void debug(std::string_view part, fmt::format_string<A...> f, A&&... a) {
  if (enabled(Level::debug)) line(Level::debug, part, fmt::format(f, std::forward<A>(a)...));
}
template <class... A>
void info(std::string_view part, fmt::format_string<A...> f, A&&... a) {
  if (enabled(Level::info)) line(Level::info, part, fmt::format(f, std::forward<A>(a)...));
}
template <class... A>
void warn(std::string_view part, fmt::format_string<A...> f, A&&... a) {
  if (enabled(Level::warn)) line(Level::warn, part, fmt::format(f, std::forward<A>(a)...));
}
template <class... A>
void error(std::string_view part, fmt::format_string<A...> f, A&&... a) {
  if (enabled(Level::error)) line(Level::error, part, fmt::format(f, std::forward<A>(a)...));
}

} // namespace verge::log
