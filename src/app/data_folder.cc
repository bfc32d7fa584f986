#include "app/data_folder.h"

#include <fmt/format.h>

namespace atalaya::app {

Status prepare_folder(io::FileSystem& files, const std::string& data) {
  const std::string probe = data + "/.write-test";
  const auto writable = [&]() -> Status {
    AT_TRY(files.create_directories(data));
    AT_TRY(auto file, files.open_append(probe));
    AT_TRY(file->append("x"));
    AT_TRY(file->sync());
    return files.remove(probe);
  }();
  if (!writable) {
    return fail(writable.error().code,
                fmt::format("the data folder {} cannot be written: {}", data, writable.error().message),
                "give --data a folder on a disk with room, owned by this user");
  }
  return {};
}

}  // namespace atalaya::app
