// Samples as lines of Prometheus' text format 0.0.4, each with its time: for import, export and federation; and lines
// of OpenMetrics 1.0, for import.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "model/labels.h"

namespace atalaya::ingest {

struct TextSample {
  std::string_view series;   ///< name and labels as they stand in the line: equal bytes, equal labels
  std::string_view value;    ///< as it stands
  std::optional<Time> time;  ///< of milliseconds
};

/// kOpenMetrics: times are seconds, with a fraction or without, and an exemplar may follow, which is left out.
enum class TextDialect : std::uint8_t { kPrometheus, kOpenMetrics };
/// OpenMetrics ends with a line `# EOF`, which no other text has at its end.
bool ends_as_open_metrics(std::string_view text);

/// Divides a line, without its end, into parts that are views of it. None for a blank line and a comment.
/// invalid_argument says what is wrong with it; the labels are not looked at.
Result<std::optional<TextSample>> split_text_line(std::string_view line,
                                                  TextDialect dialect = TextDialect::kPrometheus);

/// Where the series at the front of a line ends: before the first blank outside braces, or after the closing one.
/// npos: its braces do not close.
std::size_t text_series_size(std::string_view line);

/// Within quotes `\\`, `\"` and `\n` are escapes; a backslash before anything else is text.
/// `name{a="b"}`, or with the name in quotes within the braces, as names that need it are written since Prometheus 3.
Result<Labels> parse_text_series(std::string_view text);

/// `{a="b"}`, as exemplars have them; perhaps none.
Result<Labels> parse_text_labels(std::string_view braces);

/// A number in any notation, `NaN`, `+Inf`, `-Inf`; nothing beyond the range of doubles.
std::optional<double> parse_text_value(std::string_view text);

/// Shortest decimals that read back as the same number; a stale marker is `NaN`, which is all that the format has.
void append_text_value(std::string& out, double value);
/// The series, then value and time, then a line end. Appends.
void append_text_series(std::string& out, const Labels& labels);
void append_text_sample(std::string& out, std::string_view series, double value, Time time);

}  // namespace atalaya::ingest
