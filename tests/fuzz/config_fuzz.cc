// A configuration's text may be anything; whatever it is, loading ends with a config or with faults.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "config/loader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto loaded = verge::config::load_text({reinterpret_cast<const char*>(data), size}, "fuzz.yaml", "/srv");
  for (const auto& fault : loaded.faults) {
    if (fault.what.empty() || fault.line < 0 || fault.column < 0) std::abort();
  }
  return 0;
}
