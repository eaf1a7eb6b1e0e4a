// CloudFront's invalidation API as text: batches read, answers written. Pure. Shapes: the API's 2020-05-31 model.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "cache/invalidate/epochs.h"
#include "proxy/base/clock.h"

namespace verge::control {

struct CloudFrontFault {
  int status = 400;
  std::string_view code; // "InvalidArgument"
  std::string message;
};
template <class T>
using CloudFrontResult = std::expected<T, CloudFrontFault>;

struct InvalidationBatch {
  std::string caller_reference;
  std::vector<std::string> items; // as sent: "/img/*", "#product:tv"
  bool operator==(const InvalidationBatch&) const = default;
};

// No entity is expanded but the five of XML and character references; a document type is refused. Faults: MissingBody,
// MalformedXML, InconsistentQuantities, InvalidArgument, TooManyInvalidationsInProgress (more than 3,000 items).
CloudFrontResult<InvalidationBatch> parse_batch(std::string_view body);

// A path is relative to the distribution; `*` may stand at its end only; what is not ASCII may be percent-encoded or
// not. "#tag" names the responses with that tag. Fault: InvalidArgument.
CloudFrontResult<std::vector<cache::Target>> batch_targets(const InvalidationBatch& batch);

// An invalidation that was applied.
struct CloudFrontRow {
  std::string id, distribution;
  InvalidationBatch batch;
  WallTime time{};        // when it was created
  uint64_t seq = 0;       // of the purge
  bool completed = false; // by every node of the fleet that lived
};

std::string invalidation_xml(const CloudFrontRow& row);
// `rows`: the page; `marker`: where it began; `next`: the last id of the page if there is more, else empty.
std::string list_xml(const std::vector<const CloudFrontRow*>& rows, std::string_view marker, std::string_view next,
                     size_t most);
std::string error_xml(std::string_view code, std::string_view message, std::string_view request_id);

} // namespace verge::control
