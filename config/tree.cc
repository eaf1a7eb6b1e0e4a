#include "config/tree.h"

#include <fmt/core.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

namespace verge::config {
namespace {

Place place(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {mark.line + 1, mark.column + 1};
}

class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(std::vector<TreeFault>& faults) : faults_(faults) {}

  NodePtr root() const { return root_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto node = start(mark, Node::Kind::null);
    finish(std::move(node), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      faults_.push_back({place(mark), "this alias stands inside the value that it names; write the value out"});
      add(start(mark, Node::Kind::null));
      return;
    }
    add(found->second);
  }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, const std::string& text) override {
    auto node = start(mark, Node::Kind::scalar);
    node->text = text;
    finish(std::move(node), anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open_.push_back({start(mark, Node::Kind::list), anchor, {}, {}, false});
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open_.push_back({start(mark, Node::Kind::map), anchor, {}, {}, false});
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    std::shared_ptr<Node> node;
    YAML::anchor_t anchor;
    NodePtr key;                       // a map's key that waits for its value
    std::map<std::string, Place> seen; // a map's keys
    bool drop;                         // the value of `key` is not kept
  };

  static std::shared_ptr<Node> start(const YAML::Mark& mark, Node::Kind kind) {
    auto node = std::make_shared<Node>();
    node->kind = kind;
    node->at = place(mark);
    return node;
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    finish(std::move(done.node), done.anchor);
  }

  void finish(std::shared_ptr<Node> node, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = node;
    add(std::move(node));
  }

  void add(NodePtr node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& top = open_.back();
    if (top.node->kind == Node::Kind::list) {
      top.node->items.push_back(std::move(node));
    } else if (!top.key) {
      take_key(top, std::move(node));
    } else {
      take_value(top, std::move(node));
    }
  }

  void take_key(Open& top, NodePtr key) {
    top.drop = false;
    if (key->kind != Node::Kind::scalar) {
      faults_.push_back({key->at, fmt::format("a field's name must be text, this is {}", kind_name(key->kind))});
      top.drop = true;
    } else if (const auto [first, fresh] = top.seen.emplace(key->text, key->at); !fresh) {
      faults_.push_back({key->at, fmt::format("field \"{}\" is given twice; the first stands at line {}, column {}",
                                              key->text, first->second.line, first->second.column)});
      top.drop = true;
    }
    top.key = std::move(key);
  }

  static void take_value(Open& top, NodePtr value) {
    const NodePtr key = std::exchange(top.key, nullptr);
    if (top.drop) return;
    if (value->kind == Node::Kind::null) {
      // yaml-cpp places a value that isn't there at the next line; its key says more.
      auto placed = std::make_shared<Node>(*value);
      placed->at = key->at;
      value = std::move(placed);
    }
    top.node->members.push_back({key->text, key->at, std::move(value)});
  }

  std::vector<TreeFault>& faults_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, NodePtr> anchors_;
  NodePtr root_;
};

// Only tells where a second document begins.
class Second final : public YAML::EventHandler {
 public:
  Place at;
  void OnDocumentStart(const YAML::Mark& mark) override { at = place(mark); }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

} // namespace

std::string_view kind_name(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::null: return "nothing";
    case Node::Kind::scalar: return "text";
    case Node::Kind::list: return "a list";
    case Node::Kind::map: return "a mapping";
  }
  return "?";
}

Tree read_tree(std::string_view yaml) {
  Tree tree;
  try {
    std::istringstream in{std::string(yaml)};
    YAML::Parser parser(in);
    Builder builder(tree.faults);
    if (!parser.HandleNextDocument(builder)) {
      tree.faults.push_back({{}, "the file is empty; it needs at least listen, origins and sites"});
      return tree;
    }
    Second second;
    if (parser.HandleNextDocument(second)) {
      tree.faults.push_back({second.at, "a second YAML document begins here; the file must hold one only"});
    }
    tree.root = builder.root();
  } catch (const YAML::Exception& e) {
    tree.root = nullptr;
    // The most likely slip that YAML's own words don't tell: the brace of ${NAME} ends a {...} around it.
    const bool variable = yaml.find("${") != std::string_view::npos;
    tree.faults = {{place(e.mark), fmt::format("not valid YAML: {}{}", e.msg,
                                               variable ? " (inside {...} write \"${NAME}\" in quotes)" : "")}};
  } catch (const std::exception& e) {
    tree.root = nullptr;
    tree.faults = {{{}, fmt::format("not valid YAML: {}", e.what())}};
  }
  return tree;
}

} // namespace verge::config
