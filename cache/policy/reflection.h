// Does an answer repeat what only this one client said? A stored answer may depend on nothing but its key, and where it
// shows a request field that is not in the key it does: whoever sent the field chooses what all others are shown. Pure.
//
// Looked for are the whole values (their first 128 octets), as sent and with percent-encoding, HTML and JavaScript
// escapes undone, in any case, in the answer's fields and in the beginning of its body.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/http/headers.h"

namespace verge::policy {

struct Unkeyed {
  std::string name;       // for the log and Cache-Status: "x-forwarded-host", "cookie lang"
  std::string value;      // not empty
  bool head_only = false; // in a body it would mean nothing
  bool bounded = false;   // in a longer URL it means nothing
};

// What of the request could show up and would prove a dependence. `forwarded`: its fields as the origin gets them.
// `in_key`, `vary`: names, lower case and sorted, of fields the answer is filed under (cookies: those left in
// `forwarded` are in the key if "cookie" is). `key`: the key's text. Passed over: values too short to tell, values that
// everybody sends (media types, codings, directives, Sec-Fetch words), parts of the key itself, and Referer and Origin
// where they say no more than a link of the page itself does.
std::vector<Unkeyed> unkeyed_values(const http::Headers& forwarded, const std::vector<std::string>& in_key,
                                    const std::vector<std::string>& vary, std::string_view key);

// The values of the parameters that the origin got and the key lacks: those a route forwards all the same, and those
// that No-Vary-Search says an answer does not depend on.
std::vector<Unkeyed> unkeyed_parameters(std::string_view query, std::string_view key);

// Whether a body with these fields is worth looking into: text of any kind, not compressed.
bool is_readable(const http::Headers& response);

// A search for all of them at once, linear in the text. Not thread-safe for find().
class ReflectionSearch {
 public:
  explicit ReflectionSearch(const std::vector<Unkeyed>& wanted);
  bool empty() const noexcept { return needles_.empty(); }
  bool for_body() const noexcept { return for_body_; }
  // What the answer repeats: "x-forwarded-host", or that there was too much to look for. None: nothing.
  std::optional<std::string> in_head(const http::Headers& response) const;
  std::optional<std::string> in_body(std::string_view octets) const;
  // A find may lie across two pieces of a body: the second search begins so many octets before its piece.
  static constexpr size_t kOverlap = 1'024;

 private:
  static constexpr size_t kGramBits = 13, kMostStep = 8, kLeastNeedle = 5;
  struct Needle {
    std::string text;
    uint32_t of; // index into names_
    bool head_only, bounded;
  };
  struct Gram {
    uint32_t octets;     // case aside
    uint32_t needle, at; // where it stands: index into needles_, and in its text
  };
  static size_t bit_of(uint32_t gram) noexcept;
  void add(Needle needle);
  std::optional<std::string> find(std::string_view text, bool head) const;
  std::optional<std::string> scan(std::string_view text, bool head) const;

  std::vector<std::string> names_;
  std::vector<Needle> needles_;
  std::vector<Gram> grams_;                                    // of all needles the first `step_`, sorted by octets
  std::array<uint64_t, (size_t{1} << kGramBits) / 64> bits_{}; // one for each hash of a gram
  size_t step_ = kMostStep;                                    // of the text, the grams at so many octets are looked at
  bool for_body_ = false;
  bool too_many_ = false;
};

} // namespace verge::policy
