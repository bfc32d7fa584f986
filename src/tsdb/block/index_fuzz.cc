// Any bytes as an index section, and any change of a good one with checksums that fit again: nothing is read
// out of bounds, and what verifies answers as its labels say.
#include <cstdint>

#include "base/check.h"
#include "tsdb/block/index_model.h"

namespace {

using namespace atalaya;

std::string forged(std::string_view input) {
  static const std::string section = [] {
    std::mt19937_64 random(3);
    return tsdb::random_model(random, 20).build();
  }();
  // Each three bytes: where, and what to add there; the first says how many go to the pages.
  const std::size_t to_pages = static_cast<std::uint8_t>(input[0]) % 8;
  std::size_t taken = 0;
  const auto spoil = [&](std::string& bytes, std::size_t limit) {
    for (input.remove_prefix(std::min<std::size_t>(1, input.size())); input.size() >= 3 && taken < limit; ++taken) {
      const auto at = static_cast<std::uint8_t>(input[0]) | static_cast<std::uint8_t>(input[1]) << 8;
      auto& byte = bytes[static_cast<std::size_t>(at) % bytes.size()];
      byte = static_cast<char>(byte + input[2]);
      input.remove_prefix(3);
    }
  };
  return tsdb::resealed(
      section, [&](std::string& bytes) { spoil(bytes, to_pages); },
      [&](std::string& bytes) { spoil(bytes, to_pages + 4); });
}

void look(const std::string& section) {
  const auto index = tsdb::Index::open(section);
  if (!index) return;
  const bool whole = (*index)->verify().has_value();
  tsdb::IndexModel model;
  std::vector<tsdb::ChunkRef> chunks;
  for (std::uint32_t i = 0; i < std::min((*index)->size(), 2000u); ++i) {
    const auto labels = (*index)->labels(i);
    const auto status = (*index)->chunks(i, chunks);
    AT_CHECK(!whole || (labels && status));
    if (labels) model.series.emplace(*labels, chunks);
  }
  std::mt19937_64 random(5);
  if (whole && (*index)->size() <= 2000) {
    AT_CHECK(tsdb::difference(**index, model, random, 10, false).empty());
    return;
  }
  for (int i = 0; i < 4; ++i) {
    const auto matchers = tsdb::random_matchers(random);
    (void)(*index)->select(matchers);
    (void)(*index)->label_names(matchers);
    (void)(*index)->label_values("n1", matchers);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  look(input);
  if (size > 0) look(forged(input));
  return 0;
}
