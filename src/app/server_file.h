// DATA/server.json: where the server of a data folder is, for commands on the same machine.
#pragma once

#include <string>

#include "base/result.h"
#include "io/file_system.h"

namespace atalaya::app {

/// The file that the server of a folder holds locked as long as it runs.
std::string server_lock_file(const std::string& data);

/// {"url":"http://127.0.0.1:2001"}; taken away when the server stops, left by one that was killed.
Status write_server_file(io::FileSystem& files, const std::string& data, const std::string& url);
Status remove_server_file(io::FileSystem& files, const std::string& data);
/// not_found, with what to do, where no server runs on the folder: where nobody holds its lock, the file is of one that
/// was killed. permission_denied where the folder does not say.
Result<std::string> server_of_folder(io::FileSystem& files, const std::string& data);

}  // namespace atalaya::app
