#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "collect/scrape/targets_text.h"

using namespace atalaya;

/// What is read can be written and reads as the same again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view given(reinterpret_cast<const char*>(data), size);
  if (const auto read = collect::scrape::read_targets_text(given)) {
    const auto text = collect::scrape::targets_text(*read);
    const auto again = collect::scrape::read_targets_text(text);
    AT_CHECK(again.has_value());
    AT_CHECK(collect::scrape::targets_text(*again) == text);
  }
  if (const auto read = collect::scrape::read_metadata_text(given)) {
    const auto text = collect::scrape::metadata_text(*read);
    const auto again = collect::scrape::read_metadata_text(text);
    AT_CHECK(again.has_value());
    AT_CHECK(collect::scrape::metadata_text(*again) == text);
  }
  return 0;
}
