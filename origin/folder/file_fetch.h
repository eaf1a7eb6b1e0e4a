// FileFetch: one answer of a folder origin, given from the loop piece by piece.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "origin/folder/file.h"
#include "origin/origin.h"

namespace verge::origin {

// What the Fetches of one folder share.
struct Folder {
  std::string name; // of the origin
  std::string root;
  std::vector<char> buffer; // one piece of a file on its way to a sink; free between two turns of the loop
};

// An answer that is known, but for its octets.
struct FileAnswer {
  http::ResponseHead head;
  std::optional<File> body; // none: `text` is the body
  std::string text;
};

// Finds the answer to a GET or HEAD. Error: the folder itself or the file can't be read; side origin. Touches the disk.
Result<FileAnswer> find_answer(const Folder& folder, const http::RequestHead& request);

// Loop thread only. The sink hears of it from the next turn on.
std::unique_ptr<Fetch> make_file_fetch(net::EventLoop& loop, std::shared_ptr<Folder> folder, http::RequestHead request,
                                       FetchSink& sink);

} // namespace verge::origin
