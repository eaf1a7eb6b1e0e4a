#include "origin/aws/credentials_file.h"

#include <fmt/core.h>

#include <set>

#include "proxy/http/grammar.h"

namespace verge::origin::aws {
namespace {

using http::trim;

struct Keys {
  std::string id, secret, token;
  std::string* slot(std::string_view name) {
    if (name == "aws_access_key_id") return &id;
    if (name == "aws_secret_access_key") return &secret;
    if (name == "aws_session_token") return &token;
    return nullptr;
  }
};

bool is_key_text(std::string_view s) noexcept {
  for (const char c : s) {
    if (c <= ' ' || c > '~') return false;
  }
  return true;
}

} // namespace

Result<Credentials> parse_credentials_file(std::string_view text, std::string_view profile, std::string_view file) {
  const auto bad = [&](size_t line, std::string_view what) {
    return fail(Errc::config, fmt::format("{}:{}: {}", file, line, what));
  };
  std::set<std::string, std::less<>> sections, names;
  bool in_section = false, wanted = false, found = false, nested_allowed = false;
  Keys keys;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3); // a byte order mark, as some editors write
  size_t number = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view raw = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (raw.ends_with('\r')) raw.remove_suffix(1);
    const std::string_view line = trim(raw);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (raw.front() == ' ' || raw.front() == '\t') {
      if (nested_allowed) continue; // "s3 =" followed by indented settings of its own
      return bad(number, "an indented line that belongs to no setting; move it to the start of the line");
    }
    nested_allowed = false;
    if (line.front() == '[') {
      if (!line.ends_with(']')) return bad(number, "a section must end with \"]\"");
      const std::string_view name = trim(line.substr(1, line.size() - 2));
      if (name.empty()) return bad(number, "a section needs a name: [default]");
      if (!sections.emplace(name).second) return bad(number, fmt::format("profile [{}] is given twice", name));
      in_section = true;
      wanted = name == profile;
      found |= wanted;
      names.clear();
      continue;
    }
    const size_t equals = line.find('=');
    // The text may be half of a secret: never quote it.
    if (equals == std::string_view::npos) return bad(number, "expected `name = value` or a [section]");
    if (!in_section) return bad(number, "a setting before the first [section]");
    std::string name(trim(line.substr(0, equals)));
    for (char& c : name) c = http::lower(c);
    const std::string_view value = trim(line.substr(equals + 1));
    if (!names.insert(name).second) return bad(number, fmt::format("{} is given twice in one profile", name));
    nested_allowed = value.empty();
    std::string* slot = keys.slot(name);
    if (!wanted || slot == nullptr) continue;
    if (!is_key_text(value)) return bad(number, fmt::format("{} holds blanks or characters beyond ASCII", name));
    *slot = value;
  }
  if (!found) return fail(Errc::config, fmt::format("{}: has no profile [{}]", file, profile));
  if (keys.id.empty() || keys.secret.empty()) {
    return fail(Errc::config, fmt::format("{}: profile [{}] lacks {}", file, profile,
                                          keys.id.empty() ? "aws_access_key_id" : "aws_secret_access_key"));
  }
  return Credentials{std::move(keys.id), std::move(keys.secret), std::move(keys.token), std::nullopt};
}

} // namespace verge::origin::aws
