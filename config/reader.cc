#include "config/reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <tuple>

namespace verge::config {
namespace {

bool name_char(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

bool control_char(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

} // namespace

void Reader::fault(Place at, std::string what) {
  if (!path_.empty()) faulty_.insert(path_);
  if (faults_.size() == kFaultLimit) {
    faults_.push_back({file_, 0, 0, fmt::format("more than {} faults; the rest is not shown", kFaultLimit)});
  }
  if (faults_.size() > kFaultLimit) return;
  faults_.push_back({file_, at.line, at.column, std::move(what)});
}

void Reader::fault(const std::string& path, std::string what) {
  if (faulty(path)) return;
  fault(place_of(path), std::move(what));
  faulty_.insert(path);
}

Place Reader::place_of(std::string path) const {
  for (;;) {
    if (const auto found = places_.find(path); found != places_.end()) return found->second;
    const auto cut = path.find_last_of(".[");
    if (cut == std::string::npos) break;
    path.resize(cut);
  }
  const auto root = places_.find("");
  return root == places_.end() ? Place{} : root->second;
}

Reader::Step::Step(Reader& reader, std::string_view name, const Node& node)
    : reader_(reader), size_(reader.path_.size()) {
  if (!reader.path_.empty()) reader.path_ += '.';
  reader.path_ += name;
  reader.enter(node);
}

Reader::Step::Step(Reader& reader, size_t index, const Node& node) : reader_(reader), size_(reader.path_.size()) {
  reader.path_ += fmt::format("[{}]", index);
  reader.enter(node);
}

void Reader::enter(const Node& node) { places_[path_] = node.at; }

bool Reader::expect(const Node& node, Node::Kind kind) {
  if (spent_) return false;
  if (++visited_ > kNodeBudget) {
    spent_ = true;
    fault(node.at, fmt::format("the file unfolds to more than {} values; use fewer aliases", kNodeBudget));
    return false;
  }
  if (path_.empty()) enter(node);
  if (node.kind == kind) return true;
  if (node.kind == Node::Kind::null) {
    fault(node.at, fmt::format("no value is given where {} is needed", kind_name(kind)));
  } else {
    const std::string_view hint =
        kind == Node::Kind::list && node.kind == Node::Kind::scalar ? "; put it in brackets: [a, b]" : "";
    fault(node.at, fmt::format("{} is needed here, this is {}{}", kind_name(kind), kind_name(node.kind), hint));
  }
  return false;
}

std::optional<std::string> Reader::text(const Node& node) {
  if (!expect(node, Node::Kind::scalar)) return std::nullopt;
  const std::string_view in = node.text;
  std::string out;
  for (size_t i = 0; i < in.size();) {
    const std::string_view rest = in.substr(i);
    if (rest.starts_with("$${")) {
      out += "${";
      i += 3;
    } else if (rest.starts_with("${")) {
      const auto end = rest.find('}');
      const std::string name(rest.substr(2, end == std::string_view::npos ? end : end - 2));
      if (end == std::string_view::npos || name.empty() || !std::all_of(name.begin(), name.end(), name_char)) {
        fault(node.at,
              "\"${\" must be followed by a variable's name and \"}\"; write \"$${\" for the characters \"${\"");
        return std::nullopt;
      }
      const char* value = std::getenv(name.c_str());
      if (value == nullptr) {
        fault(node.at, fmt::format("environment variable {} is not set", name));
        return std::nullopt;
      }
      out += value;
      i += end + 1;
    } else {
      out += in[i++];
    }
  }
  if (std::any_of(out.begin(), out.end(), control_char)) {
    fault(node.at, "the text holds a control character or a line break");
    return std::nullopt;
  }
  return out;
}

std::string Reader::from_base(const std::string& path) const {
  if (path.empty() || path == "off" || path.front() == '/' || base_dir_.empty()) return path;
  return (std::filesystem::path(base_dir_) / path).lexically_normal().string();
}

std::vector<Fault> Reader::take_faults() && {
  const auto order = [](const Fault& f) {
    return std::tuple(f.line == 0 ? INT32_MAX : f.line, f.column, std::string_view(f.what));
  };
  std::sort(faults_.begin(), faults_.end(), [&](const Fault& a, const Fault& b) { return order(a) < order(b); });
  return std::move(faults_);
}

} // namespace verge::config
