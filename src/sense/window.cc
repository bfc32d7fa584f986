// Aggregators of windows that follow one another, aligned to 1970: [n × window, (n + 1) × window).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "model/sample.h"
#include "promql/numeric.h"
#include "sense/aggregator.h"

namespace atalaya::sense {
namespace {

constexpr std::size_t kMaxBounds = 64;
/// Values that a percentile keeps of a window and series; of more, a uniform choice.
constexpr std::size_t kReservoir = 1024;

struct WindowOptions {
  Duration window{60'000};
  Duration grace{2'000};
  std::optional<std::vector<std::string>> by;  ///< labels that stay; none: all
  double percent = 95;
  std::vector<double> bounds;
  bool take_first = false;
};

/// What a window remembers of one series. One of these lives in each cell.
class Cell {
 public:
  virtual ~Cell() = default;
  /// False when the record is nothing for it.
  virtual bool add(const Record& record) = 0;
  virtual void finish(const Labels& labels, Time end, std::vector<Record>& out) = 0;
};

class NumberCell : public Cell {
 public:
  bool add(const Record& record) final {
    if (record.is_line() || std::isnan(record.value)) return false;
    add(record.value);
    return true;
  }
  virtual void add(double value) = 0;
};

class MeanCell final : public NumberCell {
 public:
  using NumberCell::add;
  void add(double value) override {
    if (mean_) {
      mean_->add(value);
    } else {
      mean_.emplace(value);
    }
  }
  void finish(const Labels& labels, Time end, std::vector<Record>& out) override {
    out.push_back({end, mean_->value(), labels, std::nullopt});
  }

 private:
  std::optional<promql::Mean> mean_;
};

class SumCell final : public NumberCell {
 public:
  using NumberCell::add;
  void add(double value) override { sum_.add(value); }
  void finish(const Labels& labels, Time end, std::vector<Record>& out) override {
    out.push_back({end, sum_.value(), labels, std::nullopt});
  }

 private:
  promql::KahanSum sum_;
};

class ExtremeCell final : public NumberCell {
 public:
  explicit ExtremeCell(bool greatest) : greatest_(greatest) {}
  using NumberCell::add;
  void add(double value) override {
    if (!value_ || (greatest_ ? value > *value_ : value < *value_)) value_ = value;
  }
  void finish(const Labels& labels, Time end, std::vector<Record>& out) override {
    out.push_back({end, *value_, labels, std::nullopt});
  }

 private:
  const bool greatest_;
  std::optional<double> value_;
};

class CountCell final : public Cell {
 public:
  bool add(const Record& record) override {
    if (!record.is_line() && std::isnan(record.value)) return false;
    ++count_;
    return true;
  }
  void finish(const Labels& labels, Time end, std::vector<Record>& out) override {
    out.push_back({end, static_cast<double>(count_), labels, std::nullopt});
  }

 private:
  std::uint64_t count_ = 0;
};

class PercentileCell final : public NumberCell {
 public:
  explicit PercentileCell(double percent) : percent_(percent) {}
  using NumberCell::add;
  void add(double value) override {
    ++count_;
    if (values_.size() < kReservoir) {
      values_.push_back(value);
      return;
    }
    // Each of the values so far stays with the same likelihood (algorithm R). Which ones is the same every time.
    const auto place = random() % count_;
    if (place < kReservoir) values_[place] = value;
  }
  void finish(const Labels& labels, Time end, std::vector<Record>& out) override {
    out.push_back({end, promql::quantile(percent_ / 100, values_), labels, std::nullopt});
  }

 private:
  /// SplitMix64 (Steele, Lea, Flood 2014).
  std::uint64_t random() {
    auto z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  const double percent_;
  std::vector<double> values_;
  std::uint64_t count_ = 0;
  std::uint64_t state_ = 0;
};

class HistogramCell final : public NumberCell {
 public:
  explicit HistogramCell(const std::vector<double>& bounds) : bounds_(bounds), counts_(bounds.size() + 1) {}
  using NumberCell::add;
  void add(double value) override {
    const auto at = std::lower_bound(bounds_.begin(), bounds_.end(), value);
    ++counts_[static_cast<std::size_t>(at - bounds_.begin())];
  }
  void finish(const Labels& labels, Time end, std::vector<Record>& out) override {
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      below += counts_[i];
      const auto le = i < bounds_.size() ? fmt::format("{}", bounds_[i]) : std::string("+Inf");
      out.push_back({end, static_cast<double>(below), labels.with("le", le), std::nullopt});
    }
  }

 private:
  const std::vector<double>& bounds_;  ///< of the aggregator
  std::vector<std::uint64_t> counts_;
};

/// Keeps a record as it is, with its own time.
class TakeCell final : public Cell {
 public:
  explicit TakeCell(bool first) : first_(first) {}
  bool add(const Record& record) override {
    if (!record.is_line() && std::isnan(record.value)) return false;
    if (!kept_ || (first_ ? record.time < kept_->time : record.time >= kept_->time)) kept_ = record;
    return true;
  }
  void finish(const Labels&, Time, std::vector<Record>& out) override { out.push_back(std::move(*kept_)); }

 private:
  const bool first_;
  std::optional<Record> kept_;
};

class Windowed final : public Aggregator {
 public:
  Windowed(std::string name, WindowOptions options, const AggregatorContext& context)
      : name_(std::move(name)), options_(std::move(options)), limits_(context.limits), counters_(*context.counters) {}

  void push(std::size_t, const Record& record, Time now, std::vector<Record>&) override {
    if (is_stale(record.value) && !record.is_line()) return;  // the window holds what was before
    const auto start = begin_of(record.time);
    if (start < std::max(open_from_, begin_of(now - options_.grace))) {
      ++counters_.late;
      return;
    }
    const Key key{start, grouped(record.labels)};
    auto at = cells_.find(key);
    if (at == cells_.end()) {
      if (cells_.size() >= limits_.max_series) {
        ++counters_.over_limit;
        return;
      }
      auto cell = make_cell();
      if (!cell->add(record)) {
        ++counters_.not_numbers;
        return;
      }
      cells_.emplace(key, std::move(cell));
    } else if (!at->second->add(record)) {
      ++counters_.not_numbers;
    }
  }

  void tick(Time now, std::vector<Record>& out) override {
    open_from_ = std::max(open_from_, begin_of(now - options_.grace));
    while (!cells_.empty() && cells_.begin()->first.start < open_from_) {
      const auto at = cells_.begin();
      at->second->finish(at->first.labels, at->first.start + options_.window, out);
      cells_.erase(at);
    }
  }
  Time due() const override {
    return cells_.empty() ? kMaxTime : cells_.begin()->first.start + options_.window + options_.grace;
  }
  std::size_t remembered() const override { return cells_.size(); }

 private:
  struct Key {
    Time start;
    Labels labels;
    auto operator<=>(const Key&) const = default;
  };

  Time begin_of(Time time) const {
    const auto ms = to_ms(time);
    const auto window = options_.window.count();
    return from_ms(ms - ((ms % window) + window) % window);
  }
  Labels grouped(const Labels& labels) const {
    if (!options_.by) return labels;
    LabelsBuilder out;
    for (const auto& label : *options_.by) out.set(label, labels.get(label));
    return out.build();
  }
  std::unique_ptr<Cell> make_cell() const {
    if (name_ == "Mean") return std::make_unique<MeanCell>();
    if (name_ == "Sum") return std::make_unique<SumCell>();
    if (name_ == "Min" || name_ == "Max") return std::make_unique<ExtremeCell>(name_ == "Max");
    if (name_ == "Count") return std::make_unique<CountCell>();
    if (name_ == "Percentile") return std::make_unique<PercentileCell>(options_.percent);
    if (name_ == "Histogram") return std::make_unique<HistogramCell>(options_.bounds);
    return std::make_unique<TakeCell>(options_.take_first);
  }

  const std::string name_;
  const WindowOptions options_;
  const PipeLimits limits_;
  PipeCounters& counters_;
  std::map<Key, std::unique_ptr<Cell>> cells_;
  Time open_from_ = from_ms(0);  ///< windows before are given out, even when the clock goes back
};

Result<std::vector<double>> read_bounds(const PartSettings& settings) {
  std::vector<double> out;
  for (const auto& text : settings.list("bounds")) {
    double bound = 0;
    if (!promql::parse_float(text, bound) || !std::isfinite(bound))
      return settings.wrong("bounds", fmt::format("\"{}\" is no number", text));
    if (!out.empty() && bound <= out.back())
      return settings.wrong("bounds", fmt::format("{} does not follow {}", text, out.back()), "ascending numbers");
    out.push_back(bound);
  }
  if (out.empty()) return settings.wrong("bounds", "it names none", "such as 0.1,0.5,1");
  if (out.size() > kMaxBounds)
    return settings.wrong("bounds", fmt::format("{} are more than {}", out.size(), kMaxBounds));
  return out;
}

}  // namespace

MadeAggregator make_window(const PartSettings& settings, const AggregatorContext& context) {
  const auto& name = settings.name();
  if (settings.type().find("window") == nullptr) return nullptr;
  WindowOptions options;
  options.window = settings.seconds("window").value_or(context.period);
  options.grace = *settings.seconds("grace");
  if (settings.has("by")) options.by = settings.list("by");
  if (name == "Percentile") options.percent = *settings.number("percent");
  if (name == "Histogram") {
    AT_TRY(options.bounds, read_bounds(settings));
  }
  if (name == "Downsample") options.take_first = settings.text("take") == "first";
  return std::make_unique<Windowed>(name, std::move(options), context);
}

}  // namespace atalaya::sense
