// parse_target: what users write, as a Target.
#include <fmt/core.h>

#include <algorithm>

#include "cache/invalidate/epochs.h"
#include "cache/policy/key.h"

namespace verge::cache {
namespace {

constexpr size_t kMaxTargetOctets = 8'192;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

auto bad(std::string_view text, std::string_view why) {
  return fail(Errc::bad_input, fmt::format("invalidation \"{}\": {}", text.substr(0, 200), why), Side::client);
}

// "www.example.com:8443" -> "www.example.com"; none: not a host. The port plays no part in matching.
std::optional<std::string> host_name(std::string_view authority) {
  if (const size_t colon = authority.rfind(':'); colon != authority.npos && authority.back() != ']') {
    const auto port = authority.substr(colon + 1);
    if (!std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
    authority = authority.substr(0, colon);
  }
  if (authority.empty() || authority.find_first_of("@#?\\ %") != authority.npos) return std::nullopt;
  return lower(authority);
}

} // namespace

Result<Target> parse_target(std::string_view text) {
  if (text.empty()) return bad(text, "empty; name a path (\"/index.html\"), a pattern (\"/img/*\") or a URL");
  if (text.size() > kMaxTargetOctets) return bad(text, fmt::format("longer than {} octets", kMaxTargetOctets));
  if (std::ranges::any_of(text, [](unsigned char c) { return c <= ' ' || c == 0x7f; }))
    return bad(text, "holds a space or a control character; write it percent-encoded");
  if (text.find('#') != text.npos) return bad(text, "a fragment (#...) is never part of a cached URL");

  Target target;
  std::string_view rest = text;
  bool has_host = false;
  if (const size_t at = rest.find("://"); at != rest.npos && rest.substr(0, at).find('/') == rest.npos) {
    if (const auto scheme = lower(rest.substr(0, at)); scheme != "http" && scheme != "https")
      return bad(text, fmt::format("scheme \"{}\" is not http or https", scheme));
    rest.remove_prefix(at + 3);
    has_host = true;
  } else if (rest.front() != '/' && rest.front() != '*') {
    // "img/a.png" would name a host "img" that never matches, and the purge would silently do nothing.
    const auto first = rest.substr(0, rest.find('/'));
    if (first.size() == rest.size() || (first.find_first_of(".:[") == first.npos && first != "localhost"))
      return bad(text, "is it a path or a host? Write \"/path\" or \"https://host/path\"");
    has_host = true;
  }
  if (rest.starts_with("*.") && rest.find('/') != rest.npos)
    return bad(text, "a host can't hold `*`; name each host, or begin with \"/\" for every host");
  if (has_host) {
    const size_t end = std::min(rest.find_first_of("/?"), rest.size());
    if (const auto authority = rest.substr(0, end); authority != "*") { // "https://*/a": every host
      auto host = host_name(authority);
      if (!host || host->find('*') != host->npos) return bad(text, fmt::format("\"{}\" is not a host name", authority));
      target.host = std::move(*host);
    }
    rest.remove_prefix(end);
  }

  const size_t mark = std::min(rest.find('?'), rest.size());
  std::string raw_path(rest.substr(0, mark));
  if (raw_path.empty() || raw_path.front() != '/') raw_path.insert(0, 1, '/'); // "*.jpg" means "/*.jpg"
  auto path = policy::normal_path(raw_path);
  if (!path)
    return std::unexpected(std::move(path).error().in(fmt::format("invalidation \"{}\"", text.substr(0, 200))));
  target.value = std::move(*path);
  target.value += rest.substr(mark);
  const auto doubled = [](char a, char b) { return a == '*' && b == '*'; };
  target.value.erase(std::ranges::unique(target.value, doubled).begin(), target.value.end());

  if (target.value == "/*") {
    target.kind = Target::Kind::all;
    target.value.clear();
  } else {
    target.kind = target.value.find('*') == target.value.npos ? Target::Kind::exact : Target::Kind::pattern;
  }
  return target;
}

std::string to_text(const Target& target) {
  if (target.kind == Target::Kind::tag) {
    return fmt::format("#{}{}{}", target.value, target.host.empty() ? "" : " on ", target.host);
  }
  return fmt::format("{}{}{}", target.host.empty() ? "" : "https://", target.host,
                     target.kind == Target::Kind::all ? "/*" : target.value);
}

} // namespace verge::cache
