// The folder of everything the server keeps.
#pragma once

#include <string>

#include "base/result.h"
#include "io/file_system.h"

namespace atalaya::app {

/// A data folder that can be written; the error says what to do.
Status prepare_folder(io::FileSystem& files, const std::string& data);

}  // namespace atalaya::app
