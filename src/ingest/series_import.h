// Lines of text or JSON become samples on disk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "ingest/prometheus_text.h"
#include "storage/series.h"

namespace atalaya::ingest {

/// kText that ends as OpenMetrics is taken for it.
enum class LineFormat : std::uint8_t { kText, kOpenMetrics, kJson };

constexpr std::size_t kMaxLineErrors = 20;

struct LineError {
  std::uint64_t line = 0;  ///< of the body, from 1
  std::string what;
};

/// What became of a body. Samples that were there already with the same value count as written.
struct Imported {
  std::uint64_t lines = 0;
  std::uint64_t samples = 0;      ///< written
  std::uint64_t refused = 0;      ///< samples that were read and not written
  std::uint64_t bad_lines = 0;    ///< of which no sample could be read
  std::vector<LineError> errors;  ///< the first ones of both
  /// What ended it early: the lines that are counted are on disk, none of the others was looked at for good.
  std::optional<Error> stopped = std::nullopt;
};

/// For one body and then no more. Holds at most kBatch samples besides, and those of one line. Thread-compatible.
class SeriesImport {
 public:
  /// A line of text without a time gets `now`.
  SeriesImport(storage::SeriesAppender& series, TenantId tenant, Time now)
      : series_(series), tenant_(std::move(tenant)), now_(now) {}

  /// Returns when everything that could be taken is on disk. What the store refuses as a whole, for now (too many
  /// samples a second, no room), stops it; some of the lines behind those counted may be written, and sending them
  /// again does no harm. Views of `body` are kept while it runs.
  Imported run(LineFormat format, std::string_view body);

 private:
  static constexpr std::size_t kBatch = 50'000;
  static constexpr std::size_t kLeastBatch = 500;
  struct Known {
    SeriesId id;
    std::string refused;  ///< why, when there is no id
  };
  Status take_text(std::string_view line, TextDialect dialect);
  Status take_json(std::string_view line);
  Result<Known> resolve(const Labels& labels);
  struct BadLine {
    std::uint64_t line;
    std::uint64_t samples;  ///< of a series that is refused; 0: not understood
  };
  Status bad_line(std::string what);
  Status refuse_series(std::uint64_t samples, std::string why);
  Status refuse(std::uint64_t samples, std::uint64_t line, std::string what);
  void add(SeriesId id, Time time, double value);
  Status read(LineFormat format, std::string_view body);
  Status flush();
  Status write(std::size_t begin, std::size_t end);
  void note_written(std::size_t end);

  storage::SeriesAppender& series_;
  const TenantId tenant_;
  const Time now_;
  Imported out_;
  Imported written_;                                   ///< of the lines that are on disk
  std::vector<BadLine> bad_;                           ///< since the last flush
  std::size_t batch_ = kBatch;                         ///< less where a tenant may not write that much at once
  std::unordered_map<std::string_view, Known> known_;  ///< by the text of the series
  std::vector<storage::SeriesSample> samples_;
  std::vector<std::uint64_t> lines_;  ///< of the samples
};

}  // namespace atalaya::ingest
