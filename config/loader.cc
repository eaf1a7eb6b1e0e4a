#include "config/loader.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "config/cross_checks.h"
#include "config/reader.h"
#include "config/tables.h"
#include "config/tree.h"

namespace verge::config {
namespace {

constexpr size_t kMostOctets = 4 << 20; // of a file; a real one has some thousands

Loaded failed(const std::string& file, std::string what) {
  Loaded loaded;
  loaded.faults.push_back({file, 0, 0, std::move(what)});
  return loaded;
}

Loaded load(std::string_view yaml, const std::string& name, const std::string& base_dir) {
  if (yaml.size() > kMostOctets) return failed(name, "the file is larger than 4MiB; is it a configuration?");
  Loaded loaded;
  loaded.config.file = name;
  Reader reader(name, base_dir);
  const Tree tree = read_tree(yaml);
  for (const auto& fault : tree.faults) reader.fault(fault.at, fault.what);
  if (tree.root) {
    config_table().read(reader, *tree.root, loaded.config);
    fill_defaults(reader, loaded.config);
    cross_check(reader, loaded.config);
    for (const auto& [path, place] : reader.places()) loaded.config.lines.emplace(path, place.line);
  }
  loaded.faults = std::move(reader).take_faults();
  return loaded;
}

} // namespace

std::string Fault::text() const {
  return line == 0 ? fmt::format("{}: {}", file, what) : fmt::format("{}:{}:{}: {}", file, line, column, what);
}

Loaded load_text(std::string_view yaml, const std::string& name, const std::string& base_dir) {
  try {
    return load(yaml, name, base_dir);
  } catch (const std::exception& e) {
    return failed(name, fmt::format("could not be read: {}", e.what()));
  }
}

Loaded load_file(const std::string& path) {
  struct stat about{};
  if (::stat(path.c_str(), &about) != 0) return failed(path, fmt::format("can't be read: {}", std::strerror(errno)));
  if (S_ISDIR(about.st_mode)) return failed(path, "is a folder; name a file");
  try {
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    if (!in) return failed(path, fmt::format("can't be read: {}", std::strerror(errno)));
    std::string yaml;
    while (yaml.size() <= kMostOctets && in) {
      char part[16'384];
      in.read(part, sizeof part);
      yaml.append(part, static_cast<size_t>(in.gcount()));
    }
    if (in.bad()) return failed(path, fmt::format("can't be read: {}", std::strerror(errno)));
    return load_text(yaml, path, std::filesystem::absolute(path).parent_path().lexically_normal().string());
  } catch (const std::exception& e) {
    return failed(path, fmt::format("could not be read: {}", e.what()));
  }
}

} // namespace verge::config
