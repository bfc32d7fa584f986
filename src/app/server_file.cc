#include "app/server_file.h"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace atalaya::app {
namespace {

constexpr std::uint64_t kMostBytes = 64 << 10;

std::string path_in(const std::string& data) { return data + "/server.json"; }

/// Only where the lock can be had is it certain that none does; who may not open it learns nothing by it.
bool somebody_runs(io::FileSystem& files, const std::string& data) {
  return files.exists(server_lock_file(data)) && !files.lock(server_lock_file(data));
}

}  // namespace

std::string server_lock_file(const std::string& data) { return data + "/lock"; }

Status write_server_file(io::FileSystem& files, const std::string& data, const std::string& url) {
  return io::write_file_atomically(files, path_in(data),
                                   boost::json::serialize(boost::json::object{{"url", url}}) + "\n");
}

Status remove_server_file(io::FileSystem& files, const std::string& data) {
  if (!files.exists(path_in(data))) return {};
  return files.remove(path_in(data));
}

Result<std::string> server_of_folder(io::FileSystem& files, const std::string& data) {
  if (!files.exists(path_in(data)) || !somebody_runs(files, data)) {
    if (auto readable = files.list(data); !readable && readable.error().code == ErrorCode::kPermissionDenied) {
      auto error = std::move(readable).error();
      error.remedy = "ask as the user whose server it is, or name the server with --server URL";
      return std::unexpected(std::move(error));
    }
    return fail(ErrorCode::kNotFound, fmt::format("no server runs on the folder {}", data),
                fmt::format("start one with `atalaya up --data {}`, or name another with --server URL", data));
  }
  AT_TRY(const auto text, io::read_file(files, path_in(data), kMostBytes));
  boost::system::error_code error;
  const auto value = boost::json::parse(text, error);
  const auto* object = error ? nullptr : value.if_object();
  const auto* url = object == nullptr ? nullptr : object->if_contains("url");
  if (url == nullptr || !url->is_string()) {
    return fail(ErrorCode::kCorruption, fmt::format("{} names no server", path_in(data)),
                "restart the server, which writes it anew");
  }
  return std::string(url->get_string());
}

}  // namespace atalaya::app
