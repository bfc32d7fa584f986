// Any bytes as a package file: refused with errors that have places, or loaded whole.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "packages/loader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace atalaya;
  if (size > 64 << 10) return 0;
  packages::SourceFile file{"p/p.yaml", "p.yaml", std::string(reinterpret_cast<const char*>(data), size), std::nullopt};
  const auto loaded = packages::load_package(default_tenant(), "p", {file}, {"hook"});
  for (const auto& error : loaded.errors) {
    if (error.message.empty() || !error.place) std::abort();
  }
  for (const auto& rule : loaded.package.rules) {
    if (!rules::check(rule).empty()) std::abort();
  }
  return 0;
}
