// For tests: cases of other projects, where they are.
#pragma once

#include <boost/json.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "base/result.h"

namespace atalaya::routing {

/// A file below ATALAYA_REFERENCE_DATA, or below ../shared/data beside the sources.
inline Result<boost::json::object> reference_data(const std::string& file) {
  const char* given = std::getenv("ATALAYA_REFERENCE_DATA");
  const std::string folder = given != nullptr ? given : std::string(AT_SOURCE_DIR) + "/../shared/data";
  std::ifstream in(folder + "/" + file);
  if (!in) return fail(ErrorCode::kNotFound, "no " + file + " in " + folder + " (ATALAYA_REFERENCE_DATA)");
  std::stringstream text;
  text << in.rdbuf();
  return boost::json::parse(text.str()).as_object();
}

}  // namespace atalaya::routing
