// Series as JSON lines, as VictoriaMetrics exports and imports them:
// {"metric":{"__name__":"up","job":"a"},"values":[1,0],"timestamps":[1700000000000,1700000015000]}
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/labels.h"
#include "model/sample.h"

namespace atalaya::ingest {

struct SeriesLine {
  Labels labels;
  std::vector<Sample> samples;
};

/// Values are numbers, null (not a number), "NaN", "Infinity", "-Infinity" or "stale" (the marker by which a series
/// ends); times are milliseconds since 1970. invalid_argument for anything else, and for labels that do not hold.
Result<SeriesLine> parse_series_line(std::string_view line);

/// Appends one line with its end. Reads back as it was, stale markers too; other NaNs become the usual one.
void append_series_line(std::string& out, const Labels& labels, std::span<const Sample> samples);

}  // namespace atalaya::ingest
