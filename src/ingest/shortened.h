// Text that came from outside, in answers.
#pragma once

#include <cstddef>
#include <string>

namespace atalaya::ingest {

constexpr std::size_t kShownLabels = 200;

/// Of one line, at most `size` bytes and then "…".
std::string shortened(std::string text, std::size_t size = kShownLabels);

}  // namespace atalaya::ingest
