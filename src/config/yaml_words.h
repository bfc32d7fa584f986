// How texts are written as values. Inside config only.
#pragma once

#include <string>
#include <string_view>

namespace atalaya::config {

/// As write_text (yaml_value.h), also in quotes where older readers (YAML 1.1) take a bare word for a boolean: yes, on,
/// off …
std::string write_text_value(std::string_view text, bool in_flow);

}  // namespace atalaya::config
