#include "io/file_system.h"

#include <fmt/format.h>

namespace atalaya::io {

Result<std::string> read_file(FileSystem& files, const std::string& path, std::uint64_t limit_bytes) {
  AT_TRY(auto file, files.open_read(path));
  // In pieces until nothing comes: the files of /proc say that their size is 0.
  constexpr std::size_t kPiece = 1 << 20;
  std::string bytes;
  while (true) {
    AT_TRY(auto piece, file->read(bytes.size(), kPiece));
    if (piece.empty()) return bytes;
    if (piece.size() > limit_bytes - bytes.size()) {
      return fail(ErrorCode::kTooLarge, fmt::format("file {} is larger than {} bytes", path, limit_bytes));
    }
    bytes += piece;
  }
}

Status write_file_atomically(FileSystem& files, const std::string& path, std::string_view bytes) {
  const auto temporary = path + ".new";
  {
    AT_TRY(auto file, files.open_append(temporary));
    // An earlier attempt may have left its part here.
    AT_TRY(file->truncate(0));
    AT_TRY(file->append(bytes));
    AT_TRY(file->sync());
  }
  AT_TRY(files.rename(temporary, path));
  return files.sync_directory(parent_path(path));
}

std::string parent_path(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace atalaya::io
