#include "app/web_files.h"

#include <array>
#include <utility>

namespace atalaya::app {
namespace {

std::string content_type(std::string_view path) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kTypes{{
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".json", "application/json"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".ico", "image/x-icon"},
      {".webmanifest", "application/manifest+json"},
      {".txt", "text/plain; charset=utf-8"},
  }};
  for (const auto& [ending, type] : kTypes) {
    if (path.ends_with(ending)) return std::string(type);
  }
  return "application/octet-stream";
}

}  // namespace

std::map<std::string, net::StaticFile> web_files() {
  std::map<std::string, net::StaticFile> files;
  for (const auto& file : embedded_web()) {
    if (file.path.ends_with(".gz")) continue;
    net::StaticFile one{file.bytes, {}, content_type(file.path), file.path.starts_with("assets/")};
    for (const auto& other : embedded_web()) {
      if (other.path.size() == file.path.size() + 3 && other.path.starts_with(file.path) &&
          other.path.ends_with(".gz")) {
        one.gzip_bytes = other.bytes;
      }
    }
    files.emplace("/" + std::string(file.path), std::move(one));
  }
  return files;
}

std::vector<packages::ShippedFile> shipped_packages() {
  std::vector<packages::ShippedFile> files;
  for (const auto& file : embedded_packages()) files.push_back({file.path, file.bytes});
  return files;
}

}  // namespace atalaya::app
