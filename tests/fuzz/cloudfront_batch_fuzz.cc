// The body of a CreateInvalidation comes from somebody with a key, who may still send anything. What is accepted must
// be within the API's bounds, and what is written must read back as it was.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proxy/control/tools/cloudfront_xml.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace verge::control;
  const auto check = [](bool good) {
    if (!good) std::abort();
  };
  const auto batch = parse_batch({reinterpret_cast<const char*>(data), size});
  if (!batch) {
    check(!batch.error().code.empty() && !batch.error().message.empty());
    return 0;
  }
  check(!batch->caller_reference.empty() && !batch->items.empty() && batch->items.size() <= 3'000);
  const auto targets = batch_targets(*batch);
  if (!targets) return 0;
  check(targets->size() == batch->items.size());
  for (const auto& target : *targets) check(!verge::cache::to_text(target).empty());
  const auto text = invalidation_xml({"I1", "E1", *batch, {}, 1, true});
  check(text.find("<Status>Completed</Status>") != text.npos);
  return 0;
}
