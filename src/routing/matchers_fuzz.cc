// Any text must either be refused or read; what was read is written so that it reads the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "routing/matchers.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace atalaya;
  using routing::MatcherSyntax;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto syntax : {MatcherSyntax::kFallback, MatcherSyntax::kUtf8, MatcherSyntax::kClassic}) {
    const auto read = routing::parse_matchers(text, syntax);
    if (!read) {
      if (read.error().message.empty()) std::abort();
      continue;
    }
    const auto again = routing::parse_matchers(to_string(*read), MatcherSyntax::kUtf8);
    if (!again || again->size() != read->size()) std::abort();
    for (std::size_t i = 0; i < read->size(); ++i) {
      if (!routing::same((*read)[i], (*again)[i])) std::abort();
    }
  }
  return 0;
}
