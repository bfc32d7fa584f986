// For tests: pipes in a line or two, and what leaves them as text.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "sense/pipe.h"

namespace atalaya::sense::testing {

inline Time at(double seconds) { return from_ms(1'000'000'000'000 + static_cast<std::int64_t>(seconds * 1000)); }

/// Stream `a` (and `b`) through the aggregators to a publisher that reads `z`.
inline PipeSpec spec_of(std::vector<Part> aggregators, std::vector<std::string> sources = {"a"}) {
  PipeSpec spec;
  for (auto& source : sources) spec.sources.push_back({source, "Test"});
  spec.aggregators = std::move(aggregators);
  spec.publishers = {{"SendUDP", {{"input", "z"}, {"udpAddr", "127.0.0.1:9"}}}};
  spec.period = Duration{10'000};
  return spec;
}
/// One aggregator from `a` to `z`.
inline PipeSpec one(std::string mixin, Settings attributes) {
  attributes.emplace("instream", "a");
  attributes.emplace("outstream", "z");
  return spec_of({{std::move(mixin), std::move(attributes)}});
}

/// A pipe and what left it, one text for each record: `12.5`, `{host="x"} 3`, `@10 3` where the time is another.
class Bench {
 public:
  explicit Bench(PipeSpec spec, PipeLimits limits = {}) : pipe_(make(std::move(spec), limits)) {}

  Bench& push(double seconds, double value, Labels labels = {}, const std::string& stream = "a") {
    return push(Record{at(seconds), value, std::move(labels), std::nullopt}, at(seconds), stream);
  }
  Bench& line(double seconds, std::string text, Labels labels = {}) {
    return push(Record{at(seconds), std::numeric_limits<double>::quiet_NaN(), std::move(labels), std::move(text)},
                at(seconds), "a");
  }
  Bench& push(const Record& record, Time now, const std::string& stream = "a") {
    pipe_.push(stream, record, now, out_);
    return *this;
  }
  Bench& tick(double seconds) {
    pipe_.tick(at(seconds), out_);
    return *this;
  }

  std::vector<Published> take() { return std::exchange(out_, {}); }
  /// Values with labels.
  std::vector<std::string> said() {
    std::vector<std::string> out;
    for (const auto& one : take()) {
      const auto& record = one.record;
      auto text = record.is_line() ? *record.text : fmt::format("{}", record.value);
      out.push_back(record.labels.empty() ? text : to_string(record.labels) + " " + text);
    }
    return out;
  }
  /// The same with the seconds since `at(0)`.
  std::vector<std::string> said_when() {
    std::vector<std::string> out;
    for (const auto& one : out_)
      out.push_back(fmt::format("@{} {}", to_seconds(one.record.time - at(0)), one.record.value));
    out_.clear();
    return out;
  }
  Pipe& pipe() { return pipe_; }
  const PipeCounters& counters() const { return pipe_.counters(); }

 private:
  static Pipe make(PipeSpec spec, PipeLimits limits) {
    auto pipe = Pipe::make(std::move(spec), limits);
    if (!pipe) throw std::runtime_error(to_string(pipe.error()));
    return std::move(*pipe);
  }

  Pipe pipe_;
  std::vector<Published> out_;
};

inline std::string error_of(const PipeSpec& spec) {
  const auto checked = check(spec);
  return checked ? "" : to_string(checked.error());
}

}  // namespace atalaya::sense::testing
