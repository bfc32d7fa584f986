// What a target answers: Prometheus' text formats and OpenMetrics, line by line.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "model/labels.h"

namespace atalaya::collect::scrape {

enum class Format : std::uint8_t { kText, kOpenMetrics };

/// The format of an answer, by its Content-Type; where that says none that is known, by the fallback (a name such as
/// `PrometheusText0.0.4`). invalid_argument without one, as in Prometheus 3, and for a format that is not read
/// (protobuf).
Result<Format> format_of(std::string_view content_type, std::string_view fallback);

/// What a sample is an example of, such as a trace.
struct ScrapedExemplar {
  Labels labels;
  double value = 0;
  std::optional<Time> time;
};
struct ScrapedLine {
  std::string_view series;  ///< name and labels as they stand: equal bytes, equal labels (`ingest::parse_text_series`)
  double value = 0;
  std::optional<Time> time;
  std::optional<ScrapedExemplar> exemplar = std::nullopt;
};
/// HELP, TYPE or UNIT of a metric.
struct ScrapedNote {
  enum class What : std::uint8_t { kHelp, kType, kUnit };
  What what = What::kHelp;
  std::string metric;
  std::string text;  ///< without escapes; a type in OpenMetrics' words, `untyped` being `unknown`
};

struct Lines {
  std::function<Status(const ScrapedLine&)> sample;  ///< an error ends the reading
  std::function<void(ScrapedNote)> note;
};

/// invalid_argument with `line N` at the first line that does not hold; what was told before stands. OpenMetrics ends
/// with `# EOF`. Labels are not looked at, but those of exemplars.
Status read_lines(std::string_view body, Format format, const Lines& lines);

}  // namespace atalaya::collect::scrape
