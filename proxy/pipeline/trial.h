// Trial: a response that may be stored by its head, while its beginning is searched for request fields that are not in
// its key (cache/policy/reflection.h). Its head waits for the first octets of the body, at most kHold; the client it
// was fetched for then reads along, all others wait until the first Block was looked at. Loop thread only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/policy/reflection.h"
#include "proxy/http/message.h"
#include "proxy/pipeline/admit.h"
#include "proxy/pipeline/services.h"

namespace verge::pipeline {

struct Plan;
struct Outcome;

class Trial {
 public:
  static constexpr size_t kLookAt = 65'520; // octets of a body: one Block
  static constexpr Millis kHold{100};

  // `length`: of the body, if it was declared.
  Trial(policy::ReflectionSearch search, std::optional<uint64_t> length);
  ~Trial();

  struct Finding {
    bool over = false;                       // there is nothing more to look at
    std::optional<std::string> repeats = {}; // then it is over too
  };
  // The first octets are searched at once, so that the head can say what becomes of it, the others together.
  Finding see(std::string_view octets, bool end);

  // While the head waits.
  struct Held {
    std::unique_ptr<Outcome> outcome;
    Admission admitted;
    http::ResponseHead as_came; // to be passed
    std::unique_ptr<Alarm> alarm;
  };
  std::unique_ptr<Held> held;

 private:
  policy::ReflectionSearch search_;
  std::optional<uint64_t> length_;
  std::string seen_;
  size_t searched_ = 0;
};

// What is to be looked for in the answer to this Fetch; `head`: as it would be stored.
policy::ReflectionSearch search_for(const Plan& plan, const cache::StoredHead& head);
// What a 304 repeats, as a note for the log and Cache-Status; empty: nothing.
std::string reflected_in(const Plan& plan, const http::ResponseHead& not_modified, const cache::StoredHead& stored);

} // namespace verge::pipeline
