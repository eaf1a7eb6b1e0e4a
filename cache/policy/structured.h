// Structured fields (RFC 9651): lists and dictionaries, parsed strictly as section 4.2 says. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace verge::policy {

// A member's value, as far as our fields need to know it. Parameters are checked and passed over.
struct Item {
  enum class Kind : uint8_t { boolean, integer, string, list, other } kind = Kind::other; // list: an inner one
  bool truth = false;
  int64_t number = 0;
  std::string text;
  std::vector<Item> items;
};

// Calls `f` for each member in order; of a dictionary's doubles the last one counts, which is the caller's to heed. All
// lines of a field are given joined by ", ". False: something in it breaks the grammar, and the whole field is as if it
// were not there, whatever `f` was told before.
bool read_dictionary(std::string_view value, const std::function<void(std::string_view key, const Item&)>& f);
bool read_list(std::string_view value, const std::function<void(const Item&)>& f);

} // namespace verge::policy
