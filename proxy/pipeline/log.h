// log: what is told of each request when it is over: one line, counters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/http/message.h"
#include "proxy/pipeline/counters.h"
#include "proxy/pipeline/services.h"

namespace verge::pipeline {

struct Ended {
  uint64_t id = 0;
  const Route* route = nullptr; // null: none was found
  int status = 0;
  CacheResult result = CacheResult::none;
  std::string_view detail = {};
  int origin_status = 0; // 0: not asked
  uint64_t bytes_sent = 0, bytes_received = 0;
  uint64_t micros = 0;
  bool complete = true; // false: the client did not get all of it
};
void log_ended(Services& services, const Connected& client, const http::RequestHead& request, const Ended& ended);

} // namespace verge::pipeline
