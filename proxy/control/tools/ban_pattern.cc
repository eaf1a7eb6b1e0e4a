#include "proxy/control/tools/ban_pattern.h"

#include <fmt/core.h>

#include <algorithm>

#include "proxy/control/tools/tool_api.h"
#include "proxy/http/grammar.h"

namespace verge::control {
namespace {

std::unexpected<Error> bad(std::string_view expression, std::string_view why) {
  return fail(Errc::bad_input, fmt::format("\"{}\": {}", expression.substr(0, 200), why), Side::client);
}

bool is_word(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

struct Glob {
  std::string text;
  bool from_start = false, to_end = false; // ^ and $
};

// The expression with `*` for any run of characters.
Result<Glob> glob_of(std::string_view expression) {
  Glob out;
  std::string_view rest = expression;
  if (rest.starts_with('^')) {
    out.from_start = true;
    rest.remove_prefix(1);
  }
  if (rest.ends_with('$') && !rest.ends_with("\\$")) {
    out.to_end = true;
    rest.remove_suffix(1);
  }
  for (size_t i = 0; i < rest.size(); ++i) {
    const char c = rest[i];
    if (c == '\\') {
      if (++i == rest.size() || is_word(rest[i])) return bad(expression, "a \\ must stand before a sign");
      out.text += rest[i];
    } else if (c == '.') {
      out.text += '*';
      if (i + 1 < rest.size() && (rest[i + 1] == '*' || rest[i + 1] == '+')) ++i;
    } else if (std::string_view("[](){}|*+?^$").find(c) != std::string_view::npos) {
      return bad(expression,
                 fmt::format("\"{}\" is not understood here; known are ^ $ . .* .+ and \\ before a sign, or a "
                             "path with * for any run of characters",
                             c));
    } else {
      out.text += c;
    }
  }
  return out;
}

} // namespace

Result<std::vector<std::string>> ban_patterns(std::string_view expression) {
  auto glob = glob_of(expression);
  if (!glob) return std::unexpected(std::move(glob.error()));
  std::string& text = glob->text;
  if (!glob->to_end && !text.ends_with('*')) text += '*';
  if (glob->from_start) {
    if (!text.starts_with('/') && !text.starts_with('*')) return bad(expression, "a path begins with /");
    return std::vector<std::string>{text};
  }
  // It may begin anywhere: at the path's beginning, where the pattern's own "/" is the path's, or behind it.
  std::vector<std::string> out;
  if (text.starts_with('/')) out.push_back(text);
  out.push_back(text.starts_with('*') ? text : "/*" + text);
  return out;
}

Result<std::string> ban_host(std::string_view expression) {
  if (expression.empty() || expression == ".*" || expression == "*") return std::string();
  std::string name(expression);
  if (expression.find_first_of("^$\\") != std::string_view::npos) {
    // "www.example.com" is mostly meant so even where the dots are not escaped.
    const bool whole = expression.starts_with('^') && expression.ends_with('$');
    name = expression.substr(whole ? 1 : 0, expression.size() - (whole ? 2 : 0));
    std::erase(name, '\\');
  }
  auto target = cache::parse_target("https://" + name + "/*");
  if (!target || target->kind != cache::Target::Kind::all || target->host.empty()) {
    return bad(expression, "not a host; write www.example.com, ^www\\.example\\.com$ or .*");
  }
  return target->host;
}

Result<BanTags> ban_tags(std::string_view expression) {
  BanTags out;
  if (expression == ".*") {
    out.all = true;
    return out;
  }
  std::string text(expression);
  const auto drop = [&text](std::string_view part) {
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at))
      text.replace(at, part.size(), " ");
  };
  for (const auto* part : {"(,.+)?$", "(^|,)", "(,|$)", "(", ")"}) drop(part);
  std::erase(text, '\\'); // before a sign that is meant as it stands
  if (text.find_first_of("^$*+?[]{}") != std::string::npos) {
    return bad(expression, "not a list of tags; write a|b, or (a|b)(,.+)?$, or ((^|,)a(,|$))");
  }
  if (auto added = add_tags(out.tags, text, " |,"); !added) return std::unexpected(std::move(added.error()));
  if (out.tags.empty()) return bad(expression, "names no tag");
  return out;
}

} // namespace verge::control
