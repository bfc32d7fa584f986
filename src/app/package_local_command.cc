#include <boost/json.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "app/commands.h"
#include "app/folder_check.h"
#include "app/tables.h"
#include "packages/archive.h"

namespace atalaya::app {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kMostKeyBytes = 64 << 10;

Status write_key(io::FileSystem& files, const std::string& path, const std::string& pem) {
  if (files.exists(path)) {
    return fail(ErrorCode::kAlreadyExists, fmt::format("{} is there already", path),
                "give another name: what is signed with a key that is lost cannot be upgraded");
  }
  return io::write_file_atomically(files, path, pem);  // mode 0600
}

Status make_key(const config::Options& options) {
  const auto files = io::real_file_system();
  const auto& name = options.argument("NAME");
  AT_TRY(const auto key, packages::make_signing_key());
  AT_TRY(const auto fingerprint, packages::key_fingerprint(key.public_pem));
  AT_TRY(write_key(*files, name + ".key", key.private_pem));
  AT_TRY(write_key(*files, name + ".pub", key.public_pem));
  // The public half is for servers, which run as somebody else.
  std::error_code ignored;
  std::filesystem::permissions(name + ".pub", std::filesystem::perms{0644}, ignored);
  if (options.text("output") == "json") {
    fmt::print("{}\n", json::serialize(json::object{
                           {"private", name + ".key"}, {"public", name + ".pub"}, {"fingerprint", fingerprint}}));
  } else {
    fmt::print("{0}.key signs (keep it to yourself), {0}.pub is for servers: --package-key {0}.pub\n{1}\n", name,
               fingerprint);
  }
  return {};
}

/// Errors that were printed already are none of the answer's.
Result<int> pack(const config::Options& options) {
  const auto files = io::real_file_system();
  AT_TRY(const auto checker, FolderCheck::make(*files));
  const auto folder = named_folder(options.argument("DIR"));
  const auto errors = checker->check({folder}).front().told;
  for (const auto& error : errors) fmt::print(stderr, "{}\n", to_string(error));
  if (!errors.empty()) return 1;
  AT_TRY(const auto archive, read_archive(*files, folder));
  std::string key;
  if (options.has("key")) {
    AT_TRY(key, io::read_file(*files, options.text("key"), kMostKeyBytes));
  }
  AT_TRY(const auto bytes, packages::pack(archive, key));
  const auto file =
      options.has("file") ? options.text("file") : fmt::format("{}-{}.atpkg", archive.package, archive.version);
  AT_TRY(io::write_file_atomically(*files, file, bytes));
  if (options.text("output") == "json") {
    fmt::print("{}\n", json::serialize(json::object{{"package", archive.package},
                                                    {"version", archive.version},
                                                    {"file", file},
                                                    {"files", archive.files.size()},
                                                    {"bytes", bytes.size()},
                                                    {"signed", !key.empty()}}));
  } else {
    fmt::print("{}: {} {}, {} {}, {} bytes, {}\n", file, archive.package, archive.version, archive.files.size(),
               archive.files.size() == 1 ? "file" : "files", bytes.size(), key.empty() ? "not signed" : "signed");
  }
  return 0;
}

}  // namespace

int pack_package(const config::Options& options) {
  const auto code = pack(options);
  return code ? *code : complain(code.error());
}

int make_package_key(const config::Options& options) {
  const auto made = make_key(options);
  return made ? 0 : complain(made.error());
}

}  // namespace atalaya::app
