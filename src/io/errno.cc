#include "io/errno.h"

#include <cerrno>
#include <system_error>

namespace atalaya::io {
namespace {

ErrorCode code_of(int error) {
  switch (error) {
    case ENOENT: return ErrorCode::kNotFound;
    case EEXIST:
    case ENOTEMPTY: return ErrorCode::kAlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS: return ErrorCode::kPermissionDenied;
    case EFBIG:
    case ENOMEM: return ErrorCode::kResourceExhausted;
    case EISDIR:
    case ENOTDIR:
    case EINVAL:
    case ENAMETOOLONG:
    case ELOOP: return ErrorCode::kInvalidArgument;
    case EWOULDBLOCK: return ErrorCode::kConflict;
    default: return ErrorCode::kUnavailable;
  }
}

}  // namespace

std::unexpected<Error> fail_errno(int error, const std::string& what, const std::string& path) {
  // A full disk is the server's state, not the caller's excess.
  std::string remedy = error == ENOSPC || error == EDQUOT   ? "free space on the disk"
                       : error == EMFILE || error == ENFILE ? "allow the process more open files (ulimit -n)"
                                                            : "";
  return fail(code_of(error), what + " " + path + ": " + std::generic_category().message(error), std::move(remedy));
}

}  // namespace atalaya::io
