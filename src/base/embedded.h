// Files that are part of the executable; `at_embed` in cmake/embed.cmake generates the tables.
#pragma once

#include <span>
#include <string_view>

namespace atalaya {

struct EmbeddedFile {
  std::string_view path;  ///< relative to the embedded folder, with `/`
  std::string_view bytes;
};

/// Sorted by path.
using EmbeddedFiles = std::span<const EmbeddedFile>;

}  // namespace atalaya
