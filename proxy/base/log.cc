#include "proxy/base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <string>

namespace verge::log {
namespace {

std::atomic<int> g_fd{STDERR_FILENO};
std::atomic<Level> g_level{Level::info};

constexpr std::string_view name(Level level) {
  switch (level) {
    case Level::debug: return "debug";
    case Level::info: return "info";
    case Level::warn: return "warn";
    case Level::error: return "error";
  }
  return "?";
}

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (u < 0x20 || u == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", u);
    } else {
      out += c;
    }
  }
}

} // namespace

Result<> open(std::string_view path, Level level) {
  g_level = level;
  int fd = STDERR_FILENO;
  if (!path.empty() && path != "/dev/stderr") {
    const std::string p(path);
    fd = ::open(p.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0) return fail(Errc::config, fmt::format("error_log: open {}: {}", p, std::strerror(errno)));
  }
  const int old = g_fd.exchange(fd);
  if (old > STDERR_FILENO) ::close(old);
  return {};
}

Level level_from(std::string_view text) noexcept {
  for (const auto level : {Level::debug, Level::info, Level::warn, Level::error}) {
    if (text == name(level)) return level;
  }
  return Level::info;
}

bool enabled(Level level) noexcept { return level >= g_level.load(std::memory_order_relaxed); }

void line(Level level, std::string_view part, std::string_view text) {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::tm tm{};
  gmtime_r(&seconds, &tm);
  std::string out = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z {} {}: ", tm.tm_year + 1900, tm.tm_mon + 1,
                                tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, millis, name(level), part);
  append_escaped(out, text);
  out += '\n';
  // One write for one line: lines of several threads do not mix. A full disk loses the line, nothing else.
  [[maybe_unused]] const auto n = ::write(g_fd.load(), out.data(), out.size());
}

} // namespace verge::log
