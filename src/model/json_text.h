// Texts, labels and maps of texts as JSON, appended without a document in between.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "model/labels.h"

namespace atalaya {

/// In quotes; bytes are those of boost::json::serialize.
void append_json(std::string& out, std::string_view text);
/// Objects, in order of the names.
void append_json(std::string& out, const Labels& labels);
void append_json(std::string& out, const std::map<std::string, std::string>& map);

}  // namespace atalaya
