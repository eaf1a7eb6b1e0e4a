// A YAML document as a tree with places, made from yaml-cpp's events rather than from its nodes: those take double keys
// silently, count lines from 0, read 010 as 8 and unfold aliases. Here every scalar keeps its text as written, a double
// key is a fault, and an alias shares the node it names, so the tree is never larger than the file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace verge::config {

// From 1, columns in octets; 0: the file as a whole.
struct Place {
  int line = 0, column = 0;
};

struct Node;
using NodePtr = std::shared_ptr<const Node>;

struct Member {
  std::string key;
  Place at; // the key's
  NodePtr value;
};

struct Node {
  enum class Kind : uint8_t { null, scalar, list, map };
  Kind kind = Kind::null;
  Place at;
  std::string text;            // scalar
  std::vector<NodePtr> items;  // list
  std::vector<Member> members; // map, in the order of the file, the first of double keys only
};

struct TreeFault {
  Place at;
  std::string what;
};

struct Tree {
  NodePtr root; // null if the file could not be read as YAML
  std::vector<TreeFault> faults;
};

// Reads exactly one document. Never throws.
Tree read_tree(std::string_view yaml);

// "text", "a list", "a mapping", "nothing": for messages.
std::string_view kind_name(Node::Kind kind);

} // namespace verge::config
