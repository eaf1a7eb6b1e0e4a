// The id by which an operator finds a request in the log: 16 hex digits.
#pragma once

#include <cstdint>
#include <string>

namespace verge {

uint64_t new_request_id(); // random, by the thread's own generator
std::string request_id_text(uint64_t id);

} // namespace verge
