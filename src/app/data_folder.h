// The folder of everything the server keeps.
#pragma once

#include <string>

#include "base/result.h"
#include "io/file_system.h"

namespace atalaya::app {

/// A data folder that can be written; the error says what to do.
Status prepare_folder(io::FileSystem& files, const std::string& data);

/// For commands that write in a folder without its server: root becomes the folder's owner for the rest of the process,
/// so that the server can read what they leave. Anybody else stays who they are.
Status work_as_owner(const std::string& data);

}  // namespace atalaya::app
