#include "ingest/refusal_words.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/bytes.h"

namespace atalaya::ingest {

std::string refusal_words(const Error& error) {
  // Of tsdb::Options; there they stand as "; NAME is NUMBER".
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kNames{{
      {"max_series_per_tenant", "--series-max-per-tenant"},
      {"memory_bytes", "--series-memory"},
      {"max_samples_per_second", "--series-samples-per-second"},
      {"max_labels_per_series", "the fixed limit of labels"},
      {"max_label_name_bytes", "the fixed limit of a name"},
      {"max_label_value_bytes", "the fixed limit of a value"},
  }};
  auto text = error.message;
  for (const auto& [from, to] : kNames) {
    const auto at = text.rfind(fmt::format("; {} is ", from));
    if (at != std::string::npos) text.replace(at + 2, from.size(), to);
  }
  return text;
}

Error in_refusal_words(Error error) {
  error.message = refusal_words(error);
  return error;
}

std::string shortened(std::string text, std::size_t size) {
  for (auto& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  if (text.size() <= size) return text;
  text.resize(size);
  while (!is_utf8(text)) text.pop_back();
  return text + "…";
}

}  // namespace atalaya::ingest
