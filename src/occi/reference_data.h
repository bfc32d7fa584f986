// For tests: other projects' messages, where they are.
#pragma once

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "base/result.h"

namespace atalaya::occi {

/// A file below ATALAYA_REFERENCE_DATA, or below ../shared/data beside the sources.
inline Result<std::string> reference_data(const std::string& file) {
  const char* given = std::getenv("ATALAYA_REFERENCE_DATA");
  const std::string folder = given != nullptr ? given : std::string(AT_SOURCE_DIR) + "/../shared/data";
  std::ifstream in(folder + "/occi/" + file);
  if (!in) return fail(ErrorCode::kNotFound, "no " + file + " in " + folder + "/occi (ATALAYA_REFERENCE_DATA)");
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace atalaya::occi
