// Buckets: by which URLs clients get the objects of a bucket, as the configuration says: an S3 origin knows its bucket
// and what it puts before keys, the sites' routes say where it answers. Immutable; pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cache/invalidate/epochs.h"
#include "config/config.h"

namespace verge::control {

class Buckets {
 public:
  explicit Buckets(const config::Config& config);

  // Adds to `out` what names the object: its URL in the spellings that clients use, with any query; of an index
  // document its directory too, with the last slash and without. A bucket that no S3 origin has may be behind an origin
  // of another type: its objects below `other_prefix` are named on every host.
  void add(std::string_view bucket, std::string_view key, std::string_view other_prefix,
           std::vector<cache::Target>& out) const;

 private:
  struct Place {      // one route to the bucket, on one host
    std::string host; // empty: every host, since a pattern of hosts is served
    std::string match;
    std::string prefix, index; // of the origin
    auto operator<=>(const Place&) const = default;
  };
  static void add(const Place& place, std::string_view key, std::vector<cache::Target>& out);
  std::map<std::string, std::vector<Place>, std::less<>> places_; // by bucket
};

} // namespace verge::control
