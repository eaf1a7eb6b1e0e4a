// Does this stored variant answer this request (RFC 9111 section 4.1)? Pure.
//
// It does when for each of its Vary fields the request says the same as the one that fetched it (vary_key), or when
// what the response says of itself settles the field:
//   Accept-Language  Content-Language is the one tag that the request likes best
//   Accept           Content-Type is the one type that the request likes best
//   Accept-Encoding  Content-Encoding is the one coding that the request likes best; or the request takes it and takes
//                    nothing that the first request did not: the origin chose it although it could have sent all that
// Nobody is given what he refuses, and an ambiguous wish ("en, de") is only answered by what it itself fetched. So
// spellings do not multiply variants where the stored ones can't tell them apart.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/policy/negotiation.h"
#include "proxy/http/headers.h"

namespace verge::policy {

// What a stored variant can answer beside the requests that say the same as its own: a line for each Vary field, empty
// where there is nothing; the text is empty if all are. `values`: its vary_key.
std::string offers(const std::vector<std::string>& fields, std::string_view values, const http::Headers& response);

// One request before the variants of one key: what it says is worked out once, however many are held against it. Views
// the request's headers; not thread-safe.
class Asker {
 public:
  explicit Asker(const http::Headers& request) noexcept : request_(request) {}
  Asker(const Asker&) = delete;
  Asker& operator=(const Asker&) = delete;

  // By all that is known of the variant: its vary_fields and vary_values, its response headers.
  bool selects(const std::vector<std::string>& fields, std::string_view values, const http::Headers& response);
  // The request's vary_key for these fields. Good until the next call with others.
  const std::string& values(const std::vector<std::string>& fields);
  // Is the field settled by this line of offers()? False for an empty one.
  bool settles(std::string_view field, std::string_view offer);

 private:
  bool settles_coding(std::string_view offer);
  const std::optional<std::string_view>& first(std::string_view field);

  const http::Headers& request_;
  std::vector<std::string> fields_; // that values_ is of
  std::string values_;
  bool worked_out_ = false;
  struct First {
    bool known = false;
    std::optional<std::string_view> value;
  };
  First language_, type_, coding_;
  std::optional<Codings> codings_;
};

// For one variant.
bool selects(const std::vector<std::string>& fields, std::string_view values, const http::Headers& response,
             const http::Headers& request);

// Takes the first line off `text`; empty when there is none left.
std::string_view take_line(std::string_view& text) noexcept;

} // namespace verge::policy
