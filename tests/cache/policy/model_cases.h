// Random exchanges that are likely to be interesting - valid, nearly valid, contradictory - and the search for the
// smallest one that still shows a difference. From fixed seeds: a failure is the same on every machine.
#pragma once

#include <functional>
#include <random>

#include "tests/cache/policy/rfc9111_model.h"

namespace verge::model {

struct Case {
  Message request, response;
  FieldLines update; // of a 304 to a later validation
  FieldLines other;  // of another request for the same URI
  House house;       // the route
  Millisecond sent = 0, came = 0, now = 0;
  Asked asked;         // of an origin, that answers with a part
  uint64_t length = 0; // of the stored body
};

class CaseMaker {
 public:
  explicit CaseMaker(uint32_t seed) : engine_(seed) {}
  Case make();
  Text reference(); // for Location
  size_t below(size_t n);
  bool one_in(size_t n) { return below(n) == 0; }
  const Text& of(const std::vector<Text>& choices) { return choices[below(choices.size())]; }

 private:
  Text spelled(Text s); // other case
  Text seconds();
  Text list(const std::vector<Text>& members);
  Text directive(bool of_request);
  Text targeted();
  Text date();
  void add(FieldLines& to, const Text& name, const Text& value);
  void cache_control(FieldLines& to, bool of_request);
  void request_fields(FieldLines& to);
  void response_fields(FieldLines& to);
  void house(House& to);
  std::mt19937 engine_;
};

// The first difference is told, or nothing.
using Check = std::function<std::optional<Text>(const Case&)>;
// Leaves out lines and members while the check still sees a difference.
Case smallest(Case c, const Check& differs);
Text to_text(const Case& c);

} // namespace verge::model
