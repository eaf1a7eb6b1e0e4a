#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "config/loader.h"

namespace verge::config {
namespace {

TEST(Reference, IsWhatTheRowsSay) {
  const std::string path = VERGE_SOURCE_DIR "/config/reference.md";
  if (std::getenv("VERGE_WRITE_REFERENCE") != nullptr) std::ofstream(path) << reference_markdown();
  std::stringstream kept;
  kept << std::ifstream(path).rdbuf();
  EXPECT_EQ(kept.str(), reference_markdown()) << "the page is stale; its first lines say how to write it anew";
}

} // namespace
} // namespace verge::config
