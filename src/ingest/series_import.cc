#include "ingest/series_import.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "ingest/append_wait.h"
#include "ingest/series_lines.h"
#include "ingest/shortened.h"

namespace atalaya::ingest {

Imported SeriesImport::run(LineFormat format, std::string_view body) {
  auto done = read(format, body);
  if (done) done = flush();
  auto out = done ? std::move(out_) : std::move(written_);
  if (!done) out.stopped = std::move(done).error();
  std::stable_sort(out.errors.begin(), out.errors.end(), [](const auto& a, const auto& b) { return a.line < b.line; });
  return out;
}

Status SeriesImport::read(LineFormat format, std::string_view body) {
  const bool open_metrics =
      format == LineFormat::kOpenMetrics || (format == LineFormat::kText && ends_as_open_metrics(body));
  const auto dialect = open_metrics ? TextDialect::kOpenMetrics : TextDialect::kPrometheus;
  while (!body.empty()) {
    const auto end = std::min(body.find('\n'), body.size());
    const auto line = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    ++out_.lines;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    AT_TRY(format == LineFormat::kJson ? take_json(line) : take_text(line, dialect));
    if (samples_.size() >= kBatch) AT_TRY(flush());
  }
  return {};
}

Status SeriesImport::take_text(std::string_view line, TextDialect dialect) {
  auto parts = split_text_line(line, dialect);
  if (!parts) return bad_line(std::move(parts).error().message);
  if (!*parts) return {};
  const auto& [series, text, time] = **parts;
  const auto value = parse_text_value(text);
  if (!value) return bad_line(fmt::format("\"{}\" is no number", text.substr(0, 40)));
  auto known = known_.find(series);
  if (known == known_.end()) {
    const auto labels = parse_text_series(series);
    if (!labels) return bad_line(labels.error().message);
    AT_TRY(auto resolved, resolve(*labels));
    known = known_.emplace(series, std::move(resolved)).first;
  }
  if (known->second.id.value() == 0) return refuse_series(1, known->second.refused);
  add(known->second.id, time.value_or(now_), *value);
  return {};
}

Status SeriesImport::take_json(std::string_view line) {
  const auto parsed = parse_series_line(line);
  if (!parsed) return bad_line(parsed.error().message);
  AT_TRY(auto known, resolve(parsed->labels));
  if (known.id.value() == 0) return refuse_series(parsed->samples.size(), std::move(known.refused));
  for (const auto& sample : parsed->samples) add(known.id, sample.time, sample.value);
  return {};
}

/// An error is the store's; what is wrong with the series is told in the answer.
Result<SeriesImport::Known> SeriesImport::resolve(const Labels& labels) {
  auto id = series_.resolve(tenant_, labels);
  if (id) return Known{*id, {}};
  const auto code = id.error().code;
  if (code != ErrorCode::kInvalidArgument && code != ErrorCode::kResourceExhausted) return std::unexpected(id.error());
  return Known{SeriesId{0}, fmt::format("{}: {}", id.error().message, shortened(to_string(labels)))};
}

/// Never an error of the whole: the next line may be better.
Status SeriesImport::bad_line(std::string what) {
  ++out_.bad_lines;
  bad_.push_back({out_.lines, 0});
  return refuse(0, out_.lines, std::move(what));
}

Status SeriesImport::refuse_series(std::uint64_t samples, std::string why) {
  if (samples > 0) bad_.push_back({out_.lines, samples});
  return refuse(samples, out_.lines, std::move(why));
}

Status SeriesImport::refuse(std::uint64_t samples, std::uint64_t line, std::string what) {
  out_.refused += samples;
  if (out_.errors.size() < kMaxLineErrors) out_.errors.push_back({line, std::move(what)});
  return {};
}

void SeriesImport::add(SeriesId id, Time time, double value) {
  samples_.push_back({id, time, value});
  lines_.push_back(out_.lines);
}

/// A limit on samples a second may let less through at once.
Status SeriesImport::flush() {
  for (std::size_t begin = 0; begin < samples_.size();) {
    const auto end = std::min(begin + batch_, samples_.size());
    const auto done = write(begin, end);
    if (done) {
      begin = end;
      note_written(end);
    } else if (done.error().code == ErrorCode::kResourceExhausted && batch_ > kLeastBatch) {
      batch_ = std::max(batch_ / 4, kLeastBatch);
    } else {
      return done;
    }
  }
  samples_.clear();
  lines_.clear();
  written_ = out_;
  bad_.clear();
  return {};
}

/// As far as lines are there whole: who is stopped behind them goes on with the next.
void SeriesImport::note_written(std::size_t end) {
  if (end == samples_.size()) return;
  const auto lines = lines_[end] - 1;
  written_.lines = lines;
  written_.samples = out_.samples;
  written_.refused = out_.refused;
  written_.bad_lines = out_.bad_lines;
  written_.errors = out_.errors;
  for (const auto& bad : bad_) {
    if (bad.line <= lines) continue;
    written_.refused -= bad.samples;
    written_.bad_lines -= bad.samples == 0 ? 1 : 0;
  }
  std::erase_if(written_.errors, [&](const auto& error) { return error.line > lines; });
}

Status SeriesImport::write(std::size_t begin, std::size_t end) {
  storage::SampleBatch batch;
  batch.samples.assign(samples_.begin() + static_cast<std::ptrdiff_t>(begin),
                       samples_.begin() + static_cast<std::ptrdiff_t>(end));
  AT_TRY(const auto appended, append_and_wait(series_, tenant_, std::move(batch)));
  out_.samples += appended.accepted + (appended.duplicate - appended.conflicting);
  const auto refused = std::uint64_t{appended.conflicting} + appended.too_old + appended.too_new;
  for (const auto& one : appended.named) {
    const auto& sample = one.sample;
    const auto it = std::find_if(samples_.begin(), samples_.end(), [&](const storage::SeriesSample& sent) {
      return sent.series == sample.series && sent.time == sample.time &&
             std::bit_cast<std::uint64_t>(sent.value) == std::bit_cast<std::uint64_t>(sample.value);
    });
    const auto line = it == samples_.end() ? 0 : lines_[static_cast<std::size_t>(it - samples_.begin())];
    AT_TRY(refuse(0, line, fmt::format("the sample at {}: {}", format_rfc3339(sample.time), words(one))));
  }
  out_.refused += refused;
  return {};
}

}  // namespace atalaya::ingest
