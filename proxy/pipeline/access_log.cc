#include "proxy/pipeline/access_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>

#include "proxy/base/log.h"
#include "proxy/base/metrics.h"

namespace verge::pipeline {
namespace {

constexpr size_t kPendingLimit = 8 << 20; // octets waiting for the writer; above: dropped
metrics::Counter g_dropped("verge_access_log_dropped_total", "", "Access log lines dropped because the disk was slow.");

void append_json(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (u < 0x20 || u >= 0x7f) {
      // Octets that are not ASCII may not be UTF-8 either; as Latin-1 escapes the line stays valid JSON.
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", u);
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\' || u < 0x20 || u >= 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\x{:02X}", u);
    } else {
      out += c;
    }
  }
  out += '"';
}

std::tm utc(WallTime t) {
  const std::time_t seconds = std::chrono::duration_cast<Seconds>(t.time_since_epoch()).count();
  std::tm tm{};
  gmtime_r(&seconds, &tm);
  return tm;
}

// Names of query parameters without their values: values carry tokens and mail addresses.
std::string uri_for_log(const http::RequestHead& request) {
  std::string out = request.path;
  if (!request.has_query) return out;
  out += '?';
  bool in_value = false;
  for (const char c : request.query) {
    if (c == '&') {
      in_value = false;
      out += c;
    } else if (!in_value) {
      out += c;
      if (c == '=') {
        in_value = true;
        out += '*';
      }
    }
  }
  return out;
}

} // namespace

std::string format_json(const AccessRecord& r) {
  const auto tm = utc(r.time);
  const auto& q = *r.request;
  std::string out;
  out.reserve(512);
  fmt::format_to(std::back_inserter(out),
                 "{{\"time\":\"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z\",\"remote_addr\":", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, r.time.time_since_epoch().count() % 1000);
  append_json(out, r.remote);
  out += ",\"method\":";
  append_json(out, q.method);
  out += ",\"scheme\":";
  append_json(out, q.scheme);
  out += ",\"host\":";
  append_json(out, q.authority);
  out += ",\"uri\":";
  append_json(out, uri_for_log(q));
  fmt::format_to(std::back_inserter(out),
                 ",\"protocol\":\"{}\",\"status\":{},\"bytes_sent\":{},\"request_time\":{}.{:06}",
                 http::to_string(q.version), r.status, r.bytes_sent, r.micros / 1'000'000, r.micros % 1'000'000);
  fmt::format_to(std::back_inserter(out), ",\"cache\":\"{}\"", to_string(r.cache));
  if (!r.detail.empty()) {
    out += ",\"detail\":";
    append_json(out, r.detail);
  }
  if (!r.origin.empty()) {
    out += ",\"origin\":";
    append_json(out, r.origin);
  }
  if (r.origin_status != 0) fmt::format_to(std::back_inserter(out), ",\"origin_status\":{}", r.origin_status);
  if (!r.complete) out += ",\"complete\":false";
  out += ",\"request_id\":";
  append_json(out, r.request_id);
  if (!r.tls_version.empty()) {
    out += ",\"tls\":";
    append_json(out, r.tls_version);
  }
  if (!r.tls_client.empty()) {
    out += ",\"tls_client\":";
    append_json(out, r.tls_client);
  }
  out += ",\"user_agent\":";
  append_json(out, q.headers.get("user-agent").value_or(""));
  if (const auto referer = q.headers.get("referer")) {
    out += ",\"referer\":";
    append_json(out, referer->substr(0, referer->find('?')));
  }
  out += "}\n";
  return out;
}

std::string format_combined(const AccessRecord& r) {
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto tm = utc(r.time);
  const auto& q = *r.request;
  std::string out = fmt::format("{} - - [{:02}/{}/{}:{:02}:{:02}:{:02} +0000] ", r.remote, tm.tm_mday,
                                kMonths[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
  append_quoted(out, q.method + " " + uri_for_log(q) + " " + std::string(http::to_string(q.version)));
  fmt::format_to(std::back_inserter(out), " {} {} ", r.status, r.bytes_sent);
  const auto referer = q.headers.get("referer").value_or("-");
  append_quoted(out, referer.substr(0, referer.find('?')));
  out += ' ';
  append_quoted(out, q.headers.get("user-agent").value_or("-"));
  out += '\n';
  return out;
}

Result<std::unique_ptr<AccessLog>> AccessLog::open(const config::AccessLog& options) {
  int fd = -1;
  if (options.path == "/dev/stdout") {
    fd = ::dup(STDOUT_FILENO); // opening the path anew fails where standard output is a socket
  } else {
    fd = ::open(options.path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  }
  if (fd < 0) {
    return fail(Errc::config, fmt::format("access_log: open {}: {}", options.path, std::strerror(errno)));
  }
  return std::unique_ptr<AccessLog>(new AccessLog(options.path, fd, options.format));
}

AccessLog::AccessLog(std::string path, int fd, config::LogFormat format)
    : path_(std::move(path)), fd_(fd), format_(format), thread_([this] { run(); }) {}

AccessLog::~AccessLog() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
  ::close(fd_);
}

void AccessLog::write(const AccessRecord& record) {
  const std::string line = format_ == config::LogFormat::json ? format_json(record) : format_combined(record);
  const std::lock_guard lock(mutex_);
  if (pending_.size() + line.size() > kPendingLimit) {
    g_dropped.add();
    return;
  }
  pending_ += line;
}

void AccessLog::reopen() {
  {
    const std::lock_guard lock(mutex_);
    reopen_ = true;
  }
  wake_.notify_one();
}

void AccessLog::run() {
  std::string batch;
  bool stop = false;
  while (!stop) {
    bool reopen = false;
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, std::chrono::milliseconds(100), [this] { return stop_ || reopen_; });
      batch.swap(pending_);
      stop = stop_;
      reopen = std::exchange(reopen_, false);
    }
    for (size_t at = 0; at < batch.size();) {
      const auto n = ::write(fd_, batch.data() + at, batch.size() - at);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break; // a full disk loses lines, nothing else
      at += static_cast<size_t>(n);
    }
    batch.clear();
    if (reopen && path_ != "/dev/stdout") {
      const int fd = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
      if (fd < 0) {
        log::error("access_log", "reopen {}: {}; going on with the old file", path_, std::strerror(errno));
      } else {
        ::close(fd_);
        fd_ = fd;
      }
    }
  }
}

} // namespace verge::pipeline
