// Series as scripts write them: `name{label="value"} 1 2+1x5 _ stale`.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/labels.h"

namespace atalaya::promql {

struct ScriptValue {
  std::optional<double> number;  ///< absent for `_`, and for a native histogram
  bool is_native = false;        ///< `{{…}}`
};

struct ScriptSeries {
  Labels labels;
  std::vector<ScriptValue> values;
  bool is_native() const;
};

/// invalid_argument when it is no series.
Result<ScriptSeries> parse_script_series(std::string_view line);
/// A number with a sign, or nothing.
std::optional<double> parse_script_number(std::string_view text);

/// Takes the blanks off both ends.
std::string_view trimmed(std::string_view text);
/// The first word, which `text` then lacks.
std::string_view take_word(std::string_view& text);

}  // namespace atalaya::promql
