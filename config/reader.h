// Reader: the state of one walk through a file: where we are, what was wrong so far, how much we may still look at.
// One per load; not shared.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/loader.h"
#include "config/tree.h"

namespace verge::config {

class Reader {
 public:
  // Values looked at, counting what aliases repeat; a real file has some hundreds.
  static constexpr size_t kNodeBudget = 100'000;
  static constexpr size_t kFaultLimit = 100;

  Reader(std::string file, std::string base_dir) : file_(std::move(file)), base_dir_(std::move(base_dir)) {}

  void fault(Place at, std::string what);
  // For checks after the walk: at the value that was read for `path` ("sites[0].routes[2].origin"), else at the nearest
  // value around it. Says nothing if that value has a fault already.
  void fault(const std::string& path, std::string what);
  bool faulty(const std::string& path) const { return faulty_.contains(path); }

  // Stands on a value for the length of a scope: its path is known to faults and later checks.
  class Step {
   public:
    Step(Reader& reader, std::string_view name, const Node& node);
    Step(Reader& reader, size_t index, const Node& node);
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;
    ~Step() { reader_.path_.resize(size_); }

   private:
    Reader& reader_;
    size_t size_;
  };

  // Every value goes through here once a visit. False: a fault was reported, or the budget is spent.
  bool expect(const Node& node, Node::Kind kind);
  // The scalar's text with ${NAME} replaced from the environment.
  std::optional<std::string> text(const Node& node);
  // A path from the file's folder. /dev/..., "off" and absolute ones stay.
  std::string from_base(const std::string& path) const;

  const std::string& path() const { return path_; }
  const std::map<std::string, Place>& places() const { return places_; }
  Place place_of(std::string path) const;
  std::vector<Fault> take_faults() &&; // in the order of the file

 private:
  void enter(const Node& node);

  std::string file_, base_dir_;
  std::string path_;
  std::map<std::string, Place> places_;
  std::set<std::string> faulty_;
  std::vector<Fault> faults_;
  size_t visited_ = 0;
  bool spent_ = false;
};

} // namespace verge::config
