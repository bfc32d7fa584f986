// What limits are called in refusals.
#pragma once

#include <string_view>

namespace atalaya::tsdb {

/// By default the fields of Options; a program that has options of its own for them gives their names. Of static
/// lifetime.
struct LimitNames {
  std::string_view series = "max_series_per_tenant";
  std::string_view memory = "memory_bytes";
  std::string_view budget = "budget";
  std::string_view samples_per_second = "max_samples_per_second";
  std::string_view labels = "max_labels_per_series";
  std::string_view label_name_bytes = "max_label_name_bytes";
  std::string_view label_value_bytes = "max_label_value_bytes";
};

}  // namespace atalaya::tsdb
