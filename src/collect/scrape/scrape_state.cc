#include "collect/scrape/scrape_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_set>
#include <utility>

#include "base/bytes.h"
#include "ingest/prometheus_text.h"
#include "model/label_number.h"
#include "model/sample.h"

namespace atalaya::collect::scrape {
namespace {

std::unexpected<Error> wrong(std::string message) { return fail(ErrorCode::kInvalidArgument, std::move(message)); }

std::unexpected<Error> beyond(std::string message) { return fail(ErrorCode::kResourceExhausted, std::move(message)); }

/// Metadata that a target no longer tells is kept for so many scrapes: a restart of it is no news.
constexpr std::uint64_t kMetadataRounds = 10;

/// For people: a target may have written a name of any length.
std::string_view head_of(std::string_view text, std::size_t most = 50) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
  return text.substr(0, most);
}

}  // namespace

Labels with_target_labels(const Labels& sample, const Labels& target, bool honor) {
  LabelsBuilder out(sample);
  std::vector<std::pair<std::string, std::string>> moved;
  std::set<std::string, std::less<>> taken;
  for (const auto& [name, value] : target) {
    if (honor) {
      if (!sample.has(name)) out.set(name, value);
      continue;
    }
    if (sample.has(name)) moved.emplace_back(name, sample.get(name));
    out.set(name, value);
  }
  for (const auto& [name, value] : sample) taken.emplace(name);
  for (const auto& [name, value] : target) taken.emplace(name);
  for (const auto& [name, value] : moved) {
    auto free = "exported_" + name;
    while (!taken.insert(free).second) free = "exported_" + free;
    out.set(free, value);
  }
  return out.build();
}

Status check_label_limits(const Labels& labels, const ScrapeLimits& limits) {
  const auto metric = head_of(labels.get(kMetricName));
  if (limits.labels > 0 && labels.size() > limits.labels) {
    return beyond(fmt::format("label_limit exceeded (metric: {}, number of labels: {}, limit: {})", metric,
                              labels.size(), limits.labels));
  }
  if (limits.label_name == 0 && limits.label_value == 0) return {};
  for (const auto& [name, value] : labels) {
    if (limits.label_name > 0 && name.size() > limits.label_name) {
      return beyond(fmt::format("label_name_length_limit exceeded (metric: {}, label name: {}, length: {}, limit: {})",
                                metric, head_of(name), name.size(), limits.label_name));
    }
    if (limits.label_value > 0 && value.size() > limits.label_value) {
      return beyond(fmt::format(
          "label_value_length_limit exceeded (metric: {}, label name: {}, value: \"{}\", length: {}, limit: {})",
          metric, head_of(name), head_of(value), value.size(), limits.label_value));
    }
  }
  return {};
}

/// What one call of `take` works with.
struct ScrapeState::Round {
  const ScrapeConfig& config;
  const Labels& labels;
  Duration timeout;
  Time at;
  const ResolveSeries& resolve;
  Numbered numbered = Numbered::kNone;  ///< by the TYPE line before
  Counts counts;
  std::vector<storage::SeriesSample> samples;
  std::vector<std::pair<SeriesId, storage::Exemplar>> exemplars;
};

ScrapeState::Scraped ScrapeState::take(const ScrapeConfig& config, const Labels& labels, Duration timeout,
                                       const Answer& answer, const ResolveSeries& resolve) {
  Round round{config, labels, timeout, answer.at, resolve, Numbered::kNone, {}, {}, {}};
  ++round_;
  auto status = read(round, answer);
  Scraped out;
  if (status) {
    out.samples = std::move(round.samples);
    out.exemplars = std::move(round.exemplars);
    settle_round(true);
    end_vanished(answer.at, out.samples);
    std::erase_if(series_, [&](const auto& entry) { return entry.second.round != round_; });
  } else {
    out.error = head_of(status.error().message, 1000);
    settle_round(false);
    end_vanished(answer.at, out.samples);
  }
  report(round, answer, status, out);
  for (auto known = metadata_round_.begin(); known != metadata_round_.end();) {
    if (!status || known->second + kMetadataRounds >= round_) {
      ++known;
    } else {
      metadata_.erase(known->first);
      known = metadata_round_.erase(known);
    }
  }
  return out;
}

Status ScrapeState::read(Round& round, const Answer& answer) {
  if (!answer.body) return std::unexpected(answer.body.error());
  AT_TRY(read_lines(*answer.body, answer.format,
                    {[&](const ScrapedLine& line) { return take_line(round, line); },
                     [&](ScrapedNote one) { note(round, std::move(one)); }}));
  const auto limit = round.config.limits.samples;
  if (limit > 0 && round.counts.kept > limit) return beyond("sample limit exceeded");
  return {};
}

Status ScrapeState::take_line(Round& round, const ScrapedLine& line) {
  AT_TRY(auto* const entry, entry_of(round, line.series));
  if (entry->dropped) return {};
  ++round.counts.kept;
  // Beyond the limit the answer is refused as a whole; it is counted to its end all the same.
  const auto limit = round.config.limits.samples;
  if (limit > 0 && round.counts.kept > limit) return {};
  const bool own_time = line.time && round.config.honor_timestamps;
  if (!own_time || round.config.track_timestamps) entry->tracked_round = round_;
  // What a program calls NaN is none of our stale markers.
  const auto time = own_time ? *line.time : round.at;
  round.samples.push_back({entry->id, time, line.value});
  if (line.exemplar) {
    const auto& one = *line.exemplar;
    round.exemplars.push_back({entry->id, {one.labels, one.value, one.time.value_or(time)}});
  }
  return {};
}

Result<ScrapeState::Entry*> ScrapeState::entry_of(Round& round, std::string_view series) {
  auto found = series_.find(series);
  if (found != series_.end()) {
    auto& entry = found->second;
    entry.round = round_;
    ++round.counts.scraped;
    const bool is_good = entry.dropped || round.at - entry.used < storage::kIdIsGoodFor / 2;
    if (is_good && entry.numbered == round.numbered) {
      entry.used = round.at;
      return &entry;
    }
  }
  AT_TRY(auto written, ingest::parse_text_series(series));
  if (found == series_.end()) ++round.counts.scraped;
  const auto labels = relabel(labels_of(round, std::move(written)), round.config.sample_steps);
  Entry entry;
  entry.round = round_;
  entry.used = round.at;
  entry.numbered = round.numbered;
  entry.dropped = !labels || labels->empty();
  if (!entry.dropped) {
    if (!labels->has(kMetricName)) return wrong("missing metric name (__name__ label)");
    AT_TRY(check_label_limits(*labels, round.config.limits));
    AT_TRY(entry.id, round.resolve(*labels));
  }
  if (found != series_.end()) {
    if (found->second.numbered == round.numbered) {
      entry.tracked = found->second.tracked;
    } else if (found->second.tracked) {
      inherited_.push_back(found->second.id);  // the line stands for another series from now on
    }
    found->second = entry;
    return &found->second;
  }
  if (!entry.dropped) ++round.counts.added;
  return &series_.emplace(std::string(series), entry).first->second;
}

/// As Prometheus 3 does, `le` of classic histograms and `quantile` of summaries say 1.0 where the target wrote 1: so
/// their series are the same whatever format it speaks. What is no number stays.
Labels ScrapeState::labels_of(const Round& round, Labels written) {
  if (round.numbered != Numbered::kNone) {
    const std::string_view label = round.numbered == Numbered::kLe ? "le" : "quantile";
    if (const auto number = ingest::parse_text_value(written.get(label))) {
      written = written.with(label, label_number(*number));
    }
  }
  return with_target_labels(written, round.labels, round.config.honor_labels);
}

void ScrapeState::note(Round& round, ScrapedNote one) {
  if (one.what == ScrapedNote::What::kType) {
    round.numbered = one.text == "histogram" ? Numbered::kLe
                     : one.text == "summary" ? Numbered::kQuantile
                                             : Numbered::kNone;
  }
  auto& known = metadata_[one.metric];
  metadata_round_[one.metric] = round_;
  switch (one.what) {
    case ScrapedNote::What::kHelp: known.help = std::move(one.text); break;
    case ScrapedNote::What::kType: known.type = std::move(one.text); break;
    case ScrapedNote::What::kUnit: known.unit = std::move(one.text); break;
  }
}

/// An answer that does not count leaves everything as it was before.
void ScrapeState::settle_round(bool counts) {
  for (auto& [text, entry] : series_) {
    if (entry.round != round_) continue;
    if (!counts)
      entry.round = 0;
    else if (entry.tracked_round == round_)
      entry.tracked = true;
  }
}

/// What was there before and was not in this round.
void ScrapeState::end_vanished(Time at, std::vector<storage::SeriesSample>& out) {
  auto vanished = std::exchange(inherited_, {});
  for (auto& [text, entry] : series_) {
    if (!entry.tracked || entry.round == round_) continue;
    entry.tracked = false;
    vanished.push_back(entry.id);
  }
  if (vanished.empty()) return;
  std::unordered_set<SeriesId> present;  // the same series may be written in another way now
  for (const auto& [text, entry] : series_) {
    if (entry.round == round_ && !entry.dropped) present.insert(entry.id);
  }
  for (const auto id : vanished) {
    if (present.insert(id).second) out.push_back({id, at, stale_marker()});
  }
}

void ScrapeState::change() {
  for (const auto& [text, entry] : series_) {
    if (entry.tracked) inherited_.push_back(entry.id);
  }
  series_.clear();
}

void ScrapeState::report_one(Round& round, std::string_view name, double value, Scraped& out) {
  auto& entry = reported_[std::string(name)];
  if (!entry.tracked || round.at - entry.used >= storage::kIdIsGoodFor / 2) {
    auto id = round.resolve(round.labels.with(kMetricName, name));
    if (!id) {
      if (out.error.empty()) out.error = id.error().message;
      return;
    }
    entry.id = *id;
    entry.tracked = true;
  }
  entry.used = round.at;
  out.samples.push_back({entry.id, round.at, value});
}

void ScrapeState::report(Round& round, const Answer& answer, const Status& status, Scraped& out) {
  report_one(round, "up", status ? 1 : 0, out);
  report_one(round, "scrape_duration_seconds", to_seconds(answer.took), out);
  report_one(round, "scrape_samples_scraped", static_cast<double>(round.counts.scraped), out);
  report_one(round, "scrape_samples_post_metric_relabeling", static_cast<double>(round.counts.kept), out);
  report_one(round, "scrape_series_added", static_cast<double>(round.counts.added), out);
  if (!round.config.extra_metrics) return;
  report_one(round, "scrape_timeout_seconds", to_seconds(round.timeout), out);
  report_one(round, "scrape_sample_limit", static_cast<double>(round.config.limits.samples), out);
  const bool too_large = !answer.body && answer.body.error().code == ErrorCode::kTooLarge;
  const double bytes = answer.body ? static_cast<double>(answer.body->size()) : too_large ? -1.0 : 0.0;
  report_one(round, "scrape_body_size_bytes", bytes, out);
}

std::vector<storage::SeriesSample> ScrapeState::end(Time at) {
  std::vector<storage::SeriesSample> out;
  std::unordered_set<SeriesId> ended;
  for (const auto id : std::exchange(inherited_, {})) {
    if (ended.insert(id).second) out.push_back({id, at, stale_marker()});
  }
  for (auto& [text, entry] : series_) {
    if (entry.tracked && ended.insert(entry.id).second) out.push_back({entry.id, at, stale_marker()});
  }
  for (auto& [name, entry] : reported_) {
    if (entry.tracked) out.push_back({entry.id, at, stale_marker()});
  }
  series_.clear();
  reported_.clear();
  metadata_.clear();
  metadata_round_.clear();
  return out;
}

}  // namespace atalaya::collect::scrape
