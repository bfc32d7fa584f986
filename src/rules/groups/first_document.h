// The part of a rule file that Prometheus reads.
#pragma once

#include <cstddef>
#include <string_view>

namespace atalaya::rules {

/// How many bytes the first YAML document of a text takes: up to the mark (`---`, `...`) that ends it. What follows is
/// not looked at, by Prometheus and promtool neither.
std::size_t first_document_size(std::string_view text);

}  // namespace atalaya::rules
