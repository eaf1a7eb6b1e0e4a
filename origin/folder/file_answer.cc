// What a folder answers to a request: the choice of file, status and fields.
#include <fmt/core.h>

#include "origin/folder/conditional.h"
#include "origin/folder/content_type.h"
#include "origin/folder/file_fetch.h"
#include "origin/folder/file_path.h"

namespace verge::origin {

namespace {

constexpr std::string_view kNotFoundPage = "404.html";

FileAnswer with_text(int status, std::string text) {
  FileAnswer answer;
  answer.head.status = status;
  answer.head.headers.add("content-type", "text/plain; charset=utf-8");
  answer.head.content_length = text.size();
  answer.text = std::move(text);
  return answer;
}

FileAnswer not_found(const Folder& folder) {
  auto page = File::open(folder.root, std::string(kNotFoundPage));
  if (!page) return with_text(404, "404 Not Found\n");
  FileAnswer answer;
  answer.head.status = 404;
  answer.head.headers.add("content-type", content_type(kNotFoundPage));
  answer.head.headers.add("cache-control", cache_control(kNotFoundPage));
  answer.head.content_length = page->size();
  answer.body = std::move(*page);
  return answer;
}

FileAnswer to_slash_form(const http::RequestHead& request) {
  FileAnswer answer = with_text(301, "301 Moved Permanently\n");
  // As the client wrote it. It can't begin with "//" and so name another host: file_path() refuses empty segments.
  std::string location = request.path + "/";
  if (request.has_query) location += "?" + request.query;
  answer.head.headers.add("location", location);
  answer.head.headers.add("cache-control", "public, max-age=60");
  return answer;
}

} // namespace

Result<FileAnswer> find_answer(const Folder& folder, const http::RequestHead& request) {
  const auto path = file_path(request.path);
  if (!path) return not_found(folder);
  auto file = File::open(folder.root, *path);
  if (!file) {
    if (file.error().code == Errc::bad_input) return to_slash_form(request);
    if (file.error().code == Errc::not_found) return not_found(folder);
    Error error = std::move(file.error());
    error.side = Side::origin;
    return std::unexpected(std::move(error).in(fmt::format("origin {}", folder.name)));
  }
  const std::string etag = file->etag();
  FileAnswer answer;
  answer.head.status = 200;
  http::Headers& fields = answer.head.headers;
  fields.add("last-modified", http_date(file->modified()));
  fields.add("etag", etag);
  fields.add("cache-control", cache_control(*path));
  if (not_modified(request.headers, etag, file->modified())) {
    answer.head.status = 304;
    return answer;
  }
  fields.add("content-type", content_type(*path));
  answer.head.content_length = file->size();
  answer.body = std::move(*file);
  return answer;
}

} // namespace verge::origin
