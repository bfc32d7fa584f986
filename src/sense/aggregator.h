// One aggregator of a pipe: records in, records of its one output out. Inside this library only.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sense/part_types.h"
#include "sense/pipe.h"
#include "sense/record.h"

namespace atalaya::sense {

/// What all of a pipe share. `counters` outlives the aggregator.
struct AggregatorContext {
  Duration period{60'000};
  PipeLimits limits;
  PipeCounters* counters = nullptr;
  std::vector<std::string> inputs;  ///< names of the streams it reads
};

/// Pure and thread-compatible. What it remembers is bounded by `PipeLimits::max_series`.
class Aggregator {
 public:
  virtual ~Aggregator() = default;

  /// `input` counts the streams that it reads. Appends to `out`; what is left out is counted.
  virtual void push(std::size_t input, const Record& record, Time now, std::vector<Record>& out) = 0;
  virtual void tick(Time now, std::vector<Record>& out) {
    static_cast<void>(now);
    static_cast<void>(out);
  }
  /// When `tick` may have something to do at the earliest.
  virtual Time due() const { return kMaxTime; }
  virtual std::size_t remembered() const { return 0; }
};

/// invalid_argument that names mixin and attribute.
Result<std::unique_ptr<Aggregator>> make_aggregator(const PartSettings& settings, const AggregatorContext& context);

// The families behind it, one file each; null when the mixin is none of theirs.
using MadeAggregator = Result<std::unique_ptr<Aggregator>>;
MadeAggregator make_per_value(const PartSettings& settings, const AggregatorContext& context);
MadeAggregator make_window(const PartSettings& settings, const AggregatorContext& context);
MadeAggregator make_selection(const PartSettings& settings, const AggregatorContext& context);
MadeAggregator make_anonymization(const PartSettings& settings, const AggregatorContext& context);
MadeAggregator make_join(const PartSettings& settings, const AggregatorContext& context);

}  // namespace atalaya::sense
