// One target's series over time: what an answer becomes as samples, and what ends when it is silent. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "collect/scrape/config.h"
#include "collect/scrape/text_format.h"
#include "model/labels.h"
#include "storage/exemplars.h"
#include "storage/series.h"

namespace atalaya::collect::scrape {

/// What a target says of a metric.
struct Metadata {
  std::string type = "unknown";
  std::string help;
  std::string unit;
  bool operator==(const Metadata&) const = default;
  auto operator<=>(const Metadata&) const = default;
};

/// How a request went.
struct Answer {
  Result<std::string_view> body;  ///< unpacked; or why there is none
  Format format = Format::kText;
  Time at;  ///< when it began
  Duration took{};
};

/// Takes the place of a series' id for ever, or says why it has none.
using ResolveSeries = std::function<Result<SeriesId>(const Labels&)>;

/// Operation: `take` each answer; the samples are for the store, in one batch. An answer counts as a whole: one line
/// that does not hold, or one limit that it breaks, leaves the synthetic series alone, and ends all others.
///
/// Thread-compatible. Memory: the text of each series line of the last answer.
class ScrapeState {
 public:
  struct Scraped {
    std::vector<storage::SeriesSample> samples;
    std::vector<std::pair<SeriesId, storage::Exemplar>> exemplars;
    std::string error;  ///< why the target counts as down; "" when it is up
  };

  /// `labels` are the target's.
  Scraped take(const ScrapeConfig& config, const Labels& labels, Duration timeout, const Answer& answer,
               const ResolveSeries& resolve);
  /// The job is another now: what its series were called is forgotten; what is not there any more ends at the next
  /// answer.
  void change();
  /// The target is no more: stale markers for all that it had, the synthetic series included.
  std::vector<storage::SeriesSample> end(Time at);

  const std::map<std::string, Metadata>& metadata() const { return metadata_; }

 private:
  /// The label that holds a number in lines of this type of metric.
  enum class Numbered : std::uint8_t { kNone, kLe, kQuantile };
  struct Entry {
    SeriesId id{};
    Time used;                ///< when its id was
    std::uint64_t round = 0;  ///< that saw it last
    std::uint64_t tracked_round = 0;
    bool dropped = false;  ///< by relabelling
    bool tracked = false;  ///< got a sample whose absence ends it
    Numbered numbered = Numbered::kNone;
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  struct Counts {
    std::uint64_t scraped = 0;
    std::uint64_t kept = 0;
    std::uint64_t added = 0;
  };
  struct Round;

  Status read(Round& round, const Answer& answer);
  Status take_line(Round& round, const ScrapedLine& line);
  Result<Entry*> entry_of(Round& round, std::string_view series);
  static Labels labels_of(const Round& round, Labels written);
  void note(Round& round, ScrapedNote note);
  void end_vanished(Time at, std::vector<storage::SeriesSample>& out);
  void settle_round(bool counts);
  void report(Round& round, const Answer& answer, const Status& status, Scraped& out);
  void report_one(Round& round, std::string_view name, double value, Scraped& out);

  std::uint64_t round_ = 0;
  std::vector<SeriesId> inherited_;  ///< of before a change: they end unless the next answer has them
  std::unordered_map<std::string, Entry, TextHash, std::equal_to<>> series_;
  std::map<std::string, Entry, std::less<>> reported_;
  std::map<std::string, Metadata> metadata_;
  std::map<std::string, std::uint64_t> metadata_round_;
};

/// The labels of a sample as it is stored, before metric_relabel_configs: the target's are laid on it; where both have
/// one, `honor` decides, and the loser of the sample's is called `exported_…`.
Labels with_target_labels(const Labels& sample, const Labels& target, bool honor);

/// resource_exhausted with Prometheus' words where a label set breaks a limit.
Status check_label_limits(const Labels& labels, const ScrapeLimits& limits);

}  // namespace atalaya::collect::scrape
