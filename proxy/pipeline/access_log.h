// The access log: one line a request, JSON or combined. Lines are gathered and written by a thread of its own, so no
// loop ever waits for the disk. When the writer can't keep up, lines are dropped and counted, never the traffic.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "config/config.h"
#include "proxy/base/clock.h"
#include "proxy/base/result.h"
#include "proxy/http/message.h"
#include "proxy/pipeline/counters.h"

namespace verge::pipeline {

// All a line says. Views live until the call returns.
struct AccessRecord {
  WallTime time;
  std::string_view remote, request_id, tls_version, tls_client;
  const http::RequestHead* request = nullptr;
  int status = 0;
  uint64_t bytes_sent = 0;
  uint64_t micros = 0;
  CacheResult cache = CacheResult::none;
  std::string_view detail, origin;
  int origin_status = 0; // 0: not asked
  bool complete = true;  // false: the client did not get all of it
};
// One line with its "\n". Query values and all header fields but User-Agent and Referer stay out of it. Pure.
std::string format_json(const AccessRecord& r);
std::string format_combined(const AccessRecord& r);

class AccessLog {
 public:
  // Opens for appending. Error config: can't be opened.
  static Result<std::unique_ptr<AccessLog>> open(const config::AccessLog& options);
  ~AccessLog(); // writes what is waiting
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;
  void write(const AccessRecord& record); // thread-safe
  // Opens the file anew, after it was rotated. Thread-safe.
  void reopen();

 private:
  AccessLog(std::string path, int fd, config::LogFormat format);
  void run();
  std::string path_;
  int fd_;
  config::LogFormat format_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::string pending_;
  bool stop_ = false;
  bool reopen_ = false;
  std::thread thread_;
};

} // namespace verge::pipeline
