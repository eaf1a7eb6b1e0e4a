#include "config/checks.h"

#include <arpa/inet.h>
#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <vector>

namespace verge::config {
namespace {

bool lower(char c) { return c >= 'a' && c <= 'z'; }
bool digit(char c) { return c >= '0' && c <= '9'; }
bool alnum(char c) { return lower(c) || (c >= 'A' && c <= 'Z') || digit(c); }
bool all(std::string_view text, bool (*of)(char)) { return std::all_of(text.begin(), text.end(), of); }

bool is_ip(int family, std::string_view text) {
  unsigned char out[16];
  return inet_pton(family, std::string(text).c_str(), out) == 1;
}

bool is_port(std::string_view text, unsigned least) {
  unsigned port = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), port);
  return !text.empty() && code == std::errc{} && end == text.data() + text.size() && port >= least && port <= 65'535;
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         all(label, [](char c) { return alnum(c) || c == '-' || c == '_'; });
}

bool is_host_name(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) return is_ip(AF_INET6, text.substr(1, text.size() - 2));
  if (text.empty() || text.size() > 253) return false;
  const auto labels = split(text, '.');
  return std::all_of(labels.begin(), labels.end(), is_label);
}

// Host and port around the last colon outside brackets; port without the colon, empty if there is none.
struct HostPort {
  std::string_view host, port;
  bool has_port = false;
};
HostPort host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto bracket = text.rfind(']');
  if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket)) {
    return {text, {}, false};
  }
  return {text.substr(0, colon), text.substr(colon + 1), true};
}

} // namespace

std::string check_listen(std::string_view text) {
  if (text.starts_with("unix:")) {
    if (!text.starts_with("unix:/")) return "must name an absolute path, like unix:/run/verge/admin.sock";
    return text.size() - 5 < 108 ? "" : "is longer than the 107 octets that a socket's path may have";
  }
  const auto [host, port, has_port] = host_port(text);
  if (!has_port) return "has no port; write it like 127.0.0.1:8080, [::1]:8080 or :8080";
  if (!is_port(port, 0)) return "needs a port from 0 to 65535 after its last colon";
  if (host.empty() || is_ip(AF_INET, host)) return "";
  if (host.starts_with('[') && is_host_name(host)) return "";
  if (is_ip(AF_INET6, host)) return fmt::format("needs brackets: [{}]:{}", host, port);
  if (host == "localhost") return fmt::format("must be a numeric address: 127.0.0.1:{}", port);
  return "must begin with a numeric address, like 127.0.0.1:8080 or [::1]:8080";
}

std::string check_url(std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else {
    return "must be a URL that begins with http:// or https://";
  }
  if (rest.find_first_of("?#") != std::string_view::npos) return "must not have a query or a fragment";
  const std::string_view authority = rest.substr(0, rest.find('/'));
  if (authority.find('@') != std::string_view::npos) return "must not carry a user or password";
  const auto [host, port, has_port] = host_port(authority);
  if (host.empty()) return "has no host";
  if (!is_host_name(host)) return fmt::format("has \"{}\" where a host is needed", host);
  if (has_port && !is_port(port, 1)) return "has a port that is not from 1 to 65535";
  const bool plain = all(rest, [](char c) { return c > ' ' && c < 0x7f; });
  return plain ? "" : "must not hold spaces or other than ASCII characters; encode them with %";
}

std::string check_https_url(std::string_view text) {
  if (!text.starts_with("https://")) return "must be a URL that begins with https://";
  return check_url(text);
}

std::string check_node(std::string_view text) {
  const auto scheme = text.find("://");
  if (scheme == std::string_view::npos) {
    if (!host_port(text).has_port) return "has no port; write it like 10.0.1.7:9090 or https://10.0.1.7:9443";
    return check_url(fmt::format("http://{}", text));
  }
  auto wrong = check_url(text);
  if (wrong.empty() && text.find('/', scheme + 3) != std::string_view::npos) wrong = "must not have a path";
  return wrong;
}

std::string check_host(std::string_view text) {
  if (text == "*") return "";
  std::string_view name = text;
  if (name.starts_with("*.")) name.remove_prefix(2);
  if (name.find('*') != std::string_view::npos) {
    return "may have its * only in front, as in *.example.org, or alone";
  }
  if (name.find("://") != std::string_view::npos) return "must be a host alone, without a scheme";
  const auto parts = host_port(name);
  if (parts.has_port && is_host_name(parts.host)) return "must be a host alone, without a port";
  return is_host_name(name) ? "" : "is not a host's name";
}

std::string check_host_header(std::string_view text) {
  const auto [host, port, has_port] = host_port(text);
  return is_host_name(host) && (!has_port || is_port(port, 1)) ? "" : "must be a host, or host:port";
}

std::string check_match(std::string_view text) {
  if (!text.starts_with('/') && !text.starts_with('*')) return "must begin with / (or *)";
  if (text.find_first_of("?#") != std::string_view::npos) return "must be a path alone, without ? or #";
  return text.find(' ') == std::string_view::npos ? "" : "must not hold spaces; write %20";
}

std::string check_sns_path(std::string_view text) {
  if (!text.starts_with('/')) return "must begin with /";
  return text.find_first_of("?#* ") == std::string_view::npos ? "" : "must be a plain path, without ? # * or spaces";
}

std::string check_purge_host(std::string_view text) {
  if (text.find('*') != std::string_view::npos) return "must be one host's name, without *";
  return check_host(text);
}

std::string check_purge_path(std::string_view text) {
  if (!text.starts_with('/')) return "must begin with /";
  return text.find_first_of("# ") == std::string_view::npos ? "" : "must be a path, without # or spaces; write %20";
}

std::string check_region(std::string_view text) {
  return text.size() >= 2 && text.size() <= 64 && all(text, [](char c) { return lower(c) || digit(c) || c == '-'; })
             ? ""
             : "does not look like a region, as eu-west-1 does";
}

bool is_aws_region(std::string_view region) {
  const auto parts = split(region, '-');
  return parts.size() >= 3 && parts.size() <= 5 && !parts.back().empty() && all(parts.back(), digit) &&
         std::all_of(parts.begin(), parts.end() - 1,
                     [](std::string_view part) { return part.size() >= 2 && all(part, lower); });
}

std::string check_bucket(std::string_view text) {
  const bool fits = text.size() >= 3 && text.size() <= 255 && alnum(text.front()) && alnum(text.back()) &&
                    all(text, [](char c) { return alnum(c) || c == '-' || c == '.' || c == '_'; });
  return fits ? "" : "is not a bucket's name: 3 or more letters, digits, dots and dashes";
}

std::string check_function(std::string_view text) {
  const bool fits =
      text.size() <= 170 && all(text, [](char c) { return alnum(c) || c == '-' || c == '_' || c == ':' || c == '$'; });
  return fits ? "" : "is not a function's name or ARN";
}

std::string check_topic(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() == 6 && parts[5].ends_with(".fifo")) return "is a FIFO topic; those deliver to queues only";
  const bool fits = parts.size() == 6 && parts[0] == "arn" && (parts[1] == "aws" || parts[1].starts_with("aws-")) &&
                    parts[2] == "sns" && is_aws_region(parts[3]) && parts[4].size() == 12 && all(parts[4], digit) &&
                    !parts[5].empty() && parts[5].size() <= 256 &&
                    all(parts[5], [](char c) { return alnum(c) || c == '-' || c == '_'; });
  return fits ? "" : "is not a topic's ARN, as arn:aws:sns:eu-west-1:123456789012:deploys is";
}

std::string check_cached_method(std::string_view method) {
  if (method == "GET" || method == "HEAD" || method == "QUERY" || method == "POST") return {};
  return "is not a method whose answers can be stored; these are GET, HEAD, QUERY and POST";
}

std::string check_tag(std::string_view text) {
  if (text.size() > 256) return "is longer than 256 octets";
  return all(text, [](char c) { return c > ' ' && c < 0x7f && c != ','; }) ? "" : "may not hold spaces or commas";
}

std::string check_purge_target(std::string_view text) {
  if (!all(text, [](char c) { return c > ' ' && c < 0x7f; })) return "must be visible ASCII; encode the rest with %";
  if (text.find('#') != text.npos) return "must not have a fragment";
  const bool url = text.starts_with("https://") || text.starts_with("http://");
  return url || text.starts_with('/') || text.starts_with('*') ? "" : "must be a path, a pattern or a URL: /a, /img/*";
}

bool answers_one_request(int status) {
  constexpr int kStatuses[] = {304, 407, 408, 412, 416, 417, 421, 425, 428, 429, 431, 511};
  return std::ranges::find(kStatuses, status) != std::end(kStatuses);
}

std::string check_field_name(std::string_view text) {
  const bool fits = !text.empty() && text.size() <= 128 && all(text, [](char c) {
    return alnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
  return fits ? "" : "is no name of a field: letters, digits and dashes, 128 at most";
}

std::string check_target(std::string_view text) {
  if (const auto wrong = check_field_name(text); !wrong.empty()) return wrong;
  std::string name(text);
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  if (name == "cache-control") return "counts always, after the targets; leave it out";
  const bool fits = name == "surrogate-control" || name.ends_with("-cache-control");
  return fits ? "" : "must be surrogate-control, or a name that ends with -cache-control";
}

std::string check_name(std::string_view text) {
  const bool fits = !text.empty() && text.size() <= 64 &&
                    all(text, [](char c) { return alnum(c) || c == '-' || c == '_' || c == '.'; });
  return fits ? "" : "must be letters, digits, dots, dashes and underscores, 64 at most";
}

std::string check_header_token(std::string_view text) {
  return all(text, [](char c) { return c > ' ' && c < 0x7f; }) ? "" : "may hold visible ASCII characters only";
}

bool is_loopback(std::string_view listen) {
  if (listen.starts_with("unix:")) return true;
  const auto host = host_port(listen).host;
  if (is_ip(AF_INET, host)) return host.starts_with("127.");
  in6_addr address{};
  if (host.size() < 2 || inet_pton(AF_INET6, std::string(host.substr(1, host.size() - 2)).c_str(), &address) != 1) {
    return false;
  }
  return IN6_IS_ADDR_LOOPBACK(&address) != 0;
}

bool is_loopback_node(std::string_view node) {
  const auto scheme = node.find("://");
  if (scheme != std::string_view::npos) node.remove_prefix(scheme + 3);
  return host_port(node).host == "localhost" || is_loopback(node);
}

std::string_view region_of_arn(std::string_view arn) {
  if (!arn.starts_with("arn:")) return {};
  const auto parts = split(arn, ':');
  return parts.size() > 3 && is_aws_region(parts[3]) ? parts[3] : std::string_view{};
}

std::string_view region_of_url(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  url.remove_prefix(scheme + 3);
  const auto labels = split(host_port(url.substr(0, url.find('/'))).host, '.');
  if (labels.size() < 5 || labels[1] != "execute-api" || labels[3] != "amazonaws") return {};
  return is_aws_region(labels[2]) ? labels[2] : std::string_view{};
}

std::string_view region_of_queue(std::string_view url) {
  constexpr std::string_view kBegin = "https://sqs.";
  if (!url.starts_with(kBegin)) return {};
  url.remove_prefix(kBegin.size());
  const auto region = url.substr(0, url.find('.'));
  return is_aws_region(region) ? region : std::string_view{};
}

} // namespace verge::config
