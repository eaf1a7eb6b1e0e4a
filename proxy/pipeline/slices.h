// Slices: the walk of an Exchange through a body that is fetched and stored in aligned pieces (a route's `slice`). Each
// slice is an Entry of its own; the walk goes lookup - join - shape - send for the first, and from send back to lookup
// for each that follows. All slices of one answer are of one version: it is cut rather than mixed.
#pragma once

#include <memory>
#include <string>

#include "cache/cache.h"
#include "cache/policy/partial.h"
#include "proxy/pipeline/ranged.h"

namespace verge::pipeline {

class Exchange;
struct Services;
struct Step;

struct Slices {
  uint64_t size = 0;
  uint64_t index = 0;          // the slice that is looked up, fetched or sent now
  std::string key;             // under which it is filed, and its flight goes
  cache::HeadRef version;      // of the first slice: what all others must fit; null until it is here
  uint64_t complete = 0;       // octets of the body; with `version`
  uint64_t ahead = UINT64_MAX; // the slice that was fetched ahead
  bool hit = false;            // some slice was in the store
  bool fetched = false;        // some slice was not
};

// lookup: no whole is stored. True: look for the first slice now.
bool begin_slices(Exchange& ex);
// lookup: may this stored slice be part of the answer?
bool fits_slices(const Exchange& ex, const cache::EntryRef& entry);
// join: how to fetch the slice that is wanted.
std::unique_ptr<RangePlan> plan_slice(Exchange& ex);
// join: has it come to rest meanwhile?
bool slice_came_to_rest(Exchange& ex);

// shape: the Entry in hand is to be sent next.
enum class SliceTaken : uint8_t {
  first,  // the answer is made from it
  next,   // it follows what was sent
  none,   // it is no slice: an ordinary answer after all
  changed // it can't follow what was sent
};
SliceTaken take_slice(Exchange& ex);
// shape, send: the slice after this one is wanted too: fetches it if it isn't stored. True: it wasn't.
bool fetch_ahead(Exchange& ex);
// send: goes back for the slice that has the octet at `position`; the walk comes back to send with it.
void want_slice(Exchange& ex, uint64_t position);

// The version that the answer began with is gone: begins anew if nothing was sent, else cuts.
Step give_up_version(Exchange& ex);

// An origin's object is not what the slices of an answer were: no slice of the URL is used any more. Once a while for
// each new version, since all who read the old one find out.
void drop_slices(Services& services, const std::string& key, const http::Headers& newer);

} // namespace verge::pipeline
