// Loads a text and shows its faults as "line:column: what".
#pragma once

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "config/loader.h"

namespace verge::config {

inline std::vector<std::string> faults(const Loaded& loaded) {
  std::vector<std::string> out;
  for (const auto& fault : loaded.faults) {
    out.push_back(std::to_string(fault.line) + ":" + std::to_string(fault.column) + ": " + fault.what);
  }
  return out;
}
inline std::vector<std::string> faults(std::string_view yaml) { return faults(load_text(yaml, "edge.yaml", "/srv")); }

// Three sound lines; a test adds its own from line 4 on.
inline const std::string kSound =
    "listen: [{address: \"127.0.0.1:0\"}]\n"
    "origins: {dir: {type: folder, path: public}}\n"
    "sites: [{hosts: [\"*\"], routes: [{match: /*, origin: dir}]}]\n";

inline std::vector<std::string> faults_after_sound(const std::string& more) { return faults(kSound + more); }

// Faults of a file with this origin at line 2.
inline std::vector<std::string> origin_faults(const std::string& origin) {
  return faults("listen: [{address: \"127.0.0.1:0\"}]\norigins: {dir: " + origin +
                "}\nsites: [{hosts: [\"*\"], routes: [{match: /*, origin: dir}]}]\n");
}

// Faults of a file with these sites, from line 3 on.
inline std::vector<std::string> site_faults(const std::string& sites) {
  return faults(
      "listen: [{address: \"127.0.0.1:0\"}]\norigins: {web: {type: folder, path: a}, app: {type: folder, path: b}}\n" +
      sites);
}

} // namespace verge::config
