#include "app/data_folder.h"

#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "io/errno.h"

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

Status work_as_owner(const std::string& data) {
  struct stat folder{};
  if (::geteuid() != 0 || ::stat(data.c_str(), &folder) != 0 || folder.st_uid == 0) return {};
  if (::setgroups(0, nullptr) == 0 && ::setegid(folder.st_gid) == 0 && ::seteuid(folder.st_uid) == 0) return {};
  auto error = io::fail_errno(errno, "work as the owner of", data).error();
  error.remedy = "run the command as that user";
  return std::unexpected(std::move(error));
}

}  // namespace atalaya::app
