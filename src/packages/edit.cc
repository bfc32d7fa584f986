#include "packages/edit.h"

#include <fmt/format.h>

#include <algorithm>

#include "packages/edit_items.h"
#include "packages/edit_workspace.h"

namespace atalaya::packages {
namespace {

using What = Operation::What;

Status known(const Workspace& files, const std::string& package) {
  if (!files.files_of(package).empty()) return {};
  return fail(ErrorCode::kNotFound, fmt::format("there is no package \"{}\"", package));
}

Status write_file(Workspace& files, const Operation& operation) {
  AT_TRY(known(files, operation.at.package));
  if (!is_package_path(operation.file)) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no path within a package", operation.file),
                "name a file below the package's folder, such as scripts/check.py");
  }
  const auto file = operation.at.package + '/' + operation.file;
  for (const auto& other : files.files_of(operation.at.package)) {
    if (other.starts_with(file + '/') || file.starts_with(other + '/')) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("{} and {} cannot both be there", file, other));
    }
  }
  files.write(file, operation.text);
  return {};
}

Status remove_file(Workspace& files, const Operation& operation) {
  const auto file = operation.at.package + '/' + operation.file;
  if (!files.exists(file)) return fail(ErrorCode::kNotFound, fmt::format("there is no file {}", file));
  files.remove(file);
  return {};
}

Status create_package(Workspace& files, const Operation& operation) {
  const auto& package = operation.at.package;
  if (!is_package_name(package)) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" cannot be a package's name", package),
                "use letters, digits, '_', '-' and '.', a letter or digit first, at most 64");
  }
  if (!files.files_of(package).empty()) {
    return fail(ErrorCode::kAlreadyExists, fmt::format("there is a package \"{}\"", package));
  }
  auto head = config::YamlValue::map({{"package", package}});
  // A version is written bare where it reads as a text: 0.1.0, but "1.0".
  head.set("version", operation.text.empty() ? "0.1.0" : operation.text);
  if (operation.value.kind == config::YamlValue::Kind::kText && !operation.value.scalar.empty()) {
    head.set("title", operation.value);
  }
  files.write(package + "/package.yaml", config::write_block(head));
  return {};
}

Status remove_package(Workspace& files, const Operation& operation) {
  AT_TRY(known(files, operation.at.package));
  for (const auto& file : files.files_of(operation.at.package)) files.remove(file);
  return {};
}

Status run(Workspace& files, const Operation& operation, ItemEdits& items) {
  switch (operation.what) {
    case What::kSet: return items.set(operation);
    case What::kUnset: return items.unset(operation);
    case What::kCreate: return items.create(operation);
    case What::kReplace: return items.replace(operation);
    case What::kRename: return items.rename(operation.at, operation.text);
    case What::kRemove: return items.remove(operation.at);
    case What::kCopy: return items.copy(operation.at, operation.to, false);
    case What::kMove: return items.copy(operation.at, operation.to, true);
    case What::kWriteFile: return write_file(files, operation);
    case What::kRemoveFile: return remove_file(files, operation);
    case What::kCreatePackage: return create_package(files, operation);
    case What::kRemovePackage: return remove_package(files, operation);
  }
  return fail(ErrorCode::kInternal, "an unknown operation");
}

}  // namespace

Result<std::vector<FileChange>> apply(const FileTexts& files, const std::vector<Operation>& operations,
                                      const FindSection& find) {
  std::vector<std::string> told;  // to nobody
  return apply(files, operations, find, told, {});
}

Result<std::vector<FileChange>> apply(const FileTexts& files, const std::vector<Operation>& operations,
                                      const FindSection& find, std::vector<std::string>& notes,
                                      const Serialise& serialise) {
  Workspace workspace(files);
  ItemEdits items(workspace, find, notes, serialise);
  for (std::size_t i = 0; i < operations.size(); ++i) {
    auto done = run(workspace, operations[i], items);
    if (done) continue;
    if (operations.size() == 1 || done.error().place) return std::unexpected(std::move(done).error());
    return fail_within(fmt::format("operation {} of {}", i + 1, operations.size()), std::move(done).error());
  }
  return workspace.changes();
}

Result<FoundItem> find_item(const FileTexts& files, const ItemAddress& at, const FindSection& find) {
  Workspace workspace(files);
  AT_TRY(const auto found, locate(workspace, at, find));
  if (found.spots.empty()) return fail(ErrorCode::kNotFound, fmt::format("there is no {}", words(at)));
  const auto& spot = found.spots.front();
  AT_TRY(const auto* editor, workspace.editor(spot.file));
  AT_TRY(auto text, editor->bare_text(spot.path));
  return FoundItem{spot.file, workspace.node(spot)->place(), std::move(text)};
}

bool is_package_name(std::string_view name) {
  const auto alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const auto allowed = [&](char c) { return alphanumeric(c) || c == '_' || c == '-' || c == '.'; };
  return !name.empty() && name.size() <= 64 && alphanumeric(name[0]) && std::all_of(name.begin(), name.end(), allowed);
}

bool is_package_path(std::string_view path) {
  if (path.empty() || path.size() > 255 || path.front() == '/' || path.back() == '/') return false;
  for (const char c : path) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\') return false;
  }
  while (!path.empty()) {
    const auto slash = std::min(path.find('/'), path.size());
    if (slash == 0 || path[0] == '.') return false;  // "", "..", hidden
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return true;
}

}  // namespace atalaya::packages
