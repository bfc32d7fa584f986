// A file of the machine as memory, without the signals that come with it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "io/file_system.h"

namespace atalaya::io {

/// Operation: a page that cannot be read raises SIGBUS. The process's handler, installed with the first
/// mapping, looks up whose the address is; when it is one of ours it lays a page of zeros there, so that
/// the access goes on, and marks the mapping as failed. An address of nobody's goes to the handler that
/// was there before. `fd` may be closed afterwards.
Result<std::unique_ptr<Mapping>> map_file(int fd, std::uint64_t size, const std::string& path);

}  // namespace atalaya::io
