// Commits as bytes. docs/formats/package-history.md. Internal to history.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "io/file_system.h"
#include "packages/history.h"

namespace atalaya::packages {

/// too_large above what a reader would take.
Result<std::string> encode_commit(const Commit& commit);
/// `with_texts` false reads the head alone: files have neither before nor after. corruption, unprocessable
/// (a newer version), not_found.
Result<Commit> read_commit(io::FileSystem& files, const std::string& path, std::uint64_t id, bool with_texts);

}  // namespace atalaya::packages
