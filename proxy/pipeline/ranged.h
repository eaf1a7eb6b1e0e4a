// ranged: a request that a stored part may answer, or whose answer a stored part may begin (RFC 9111
// sections 3.3, 3.4). What the rooms do about parts stands here; the decisions are cache/policy/partial.h.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cache/cache.h"
#include "cache/policy/partial.h"

namespace verge::pipeline {

class Exchange;

// A Fetch of less than the whole.
struct RangePlan {
  enum class Kind : uint8_t {
    part,  // the client's own range, to be kept as a part
    rest,  // what `part` lacks of the whole
    slice, // one slice
  };
  Kind kind = Kind::part;
  policy::AskedRange asked; // goes out as Range
  std::string if_range;     // goes out as If-Range unless empty
  cache::EntryRef part;     // stored octets that may stand before or behind what comes; null: none
  std::string suffix = std::string(policy::kPartKey); // behind the key: where it is filed
  // slice:
  uint64_t index = 0, slice_size = 0;
  cache::HeadRef version;     // of the slices before; null: it is the first
  http::Headers own_fields;   // of the first: what the client would have asked, for a response that is not to be shared
  uint64_t combine_limit = 0; // octets up to which parts are combined to a larger part; a whole may have any size
};

// An Exchange's state between lookup and join; only for a GET that no whole stored response answers.
struct Ranged {
  std::optional<cache::Cache::Lookup> looked_up; // under the key of parts
  cache::EntryRef part;                          // stored, and not enough to answer
  std::string flight;                            // the name by which equal requests find each other; empty: the key's
};

// lookup: looks for a part when no whole is stored. Returns it if it answers the request alone; keeps it in ex.ranged
// if it does not. `waiting`: it is on its way, the Exchange is woken.
struct PartFound {
  bool waiting = false;
  const cache::Cache::Lookup* answers = nullptr;
};
PartFound look_for_part(Exchange& ex);

// join: how to fetch what is asked for; null: the whole, as ever. Sets ex.ranged->flight.
std::unique_ptr<RangePlan> plan_range(Exchange& ex);
// join: the whole is under way and what is asked for has come or will come soon: that flight's Entry; else null.
cache::EntryRef reads_along(Exchange& ex);
// join: has a part come to rest that answers?
bool part_came_to_rest(Exchange& ex);

} // namespace verge::pipeline
