// FolderOrigin: the files below one folder as an origin; type folder. GET and HEAD only.
#pragma once

#include <memory>

#include "origin/origin.h"

namespace verge::origin {

// Which file: file_path.h and file.h. A path that names a folder without its slash is answered 301 to the form with
// it; what is missing, hidden or outside gets 404, with the root's /404.html if there is one. Last-Modified and a
// strong ETag on each file, 304 for conditions that hold, Cache-Control by name (content_type.h). Range is not looked
// at: the whole file is always a right answer to it, and the cache cuts ranges itself.
//
// Opening and looking up happen on the loop; octets are read 64 KiB a turn, so one large file does not hold the others.
// A file that changes while it is read ends in on_error before its last octets are given, never as a complete answer.
//
// Error config: the folder is missing, is none, or can't be entered; or the kernel is older than Linux 5.6.
Result<std::unique_ptr<Origin>> make_folder_origin(const config::Origin& options, const OriginContext& context);

} // namespace verge::origin
