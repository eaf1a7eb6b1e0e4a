// Reads and checks a configuration file. All faults are found in one pass.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace verge::config {

struct Fault {
  std::string file;
  int line = 0, column = 0; // from 1; 0: the file as a whole
  std::string what;         // what is wrong and what was meant: `unknown field "orgin"; did you mean "origin"?`
  std::string text() const; // "edge.yaml:12:3: ..."
};
struct Loaded {
  Config config; // meaningful only if faults is empty
  std::vector<Fault> faults;
};
// Relative paths in the file are taken from the file's own folder. ${NAME} in a value is replaced from the environment
// (a missing one is a fault). Never throws.
Loaded load_file(const std::string& path);
Loaded load_text(std::string_view yaml, const std::string& name, const std::string& base_dir);

// The reference of every field as Markdown, made from the schema's rows.
std::string reference_markdown();

} // namespace verge::config
