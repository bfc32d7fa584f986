// A sensor's pipe: named streams from collectors through aggregators to publishers. Pure: time comes as
// an argument, and what leaves is returned. docs/formats/pipe.md says what each aggregator does.
//
// Wiring. A metric mixin's `out` names a stream. An aggregator reads the streams of `instream` and makes those of
// `outstream`; a publisher reads those of `input` (of `Log`: `in_msg`). Each of these attributes may list several
// names with commas: an aggregator treats each `instream` alone and gives it the `outstream` at the same place
// (`Join` reads them all and makes one).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/embedded.h"
#include "base/result.h"
#include "base/time.h"
#include "sense/record.h"

namespace atalaya::sense {

/// A value of an attribute: as OCCI, JSON and YAML have them.
using Setting = std::variant<std::string, std::int64_t, double, bool>;
using Settings = std::map<std::string, Setting, std::less<>>;

/// One mixin on a sensor.
struct Part {
  std::string mixin;    ///< `EWMA`, or its id, of which what follows `#` counts
  Settings attributes;  ///< by short name (`gain`), or by the whole one (`com.example.occi.monitoring.EWMA.gain`)
  bool operator==(const Part&) const = default;
};

/// A stream that collectors feed.
struct Source {
  std::string stream;  ///< the metric mixin's `out`; several collectors may feed one stream
  std::string from;    ///< for messages: `CPUPercent of collector urn:uuid:2345`
  bool operator==(const Source&) const = default;
};

struct PipeSpec {
  std::vector<Source> sources;
  /// Collectors may still come: a stream that nothing makes is awaited instead of an error.
  bool more_sources = false;
  std::vector<Part> aggregators;  ///< in any order; a mixin may be there several times
  std::vector<Part> publishers;
  Duration period{60'000};  ///< the sensor's: the window of aggregators that name none
  bool operator==(const PipeSpec&) const = default;
};

constexpr std::size_t kMaxParts = 64;     ///< of a pipe, each family
constexpr std::size_t kMaxStreams = 256;  ///< of a pipe

/// What a good pipe has to say for itself.
struct Checked {
  std::vector<std::string> warnings;  ///< whole sentences
  std::vector<std::string> awaited;   ///< streams that are read and that no collector feeds yet, ascending
};
/// invalid_argument that names the mixin and its stream or attribute: unknown mixins and attributes, wrong types and
/// values, streams that are wrong, missing, made twice or go in a circle. The remedy says what would do.
Result<Checked> check(const PipeSpec& spec);

/// `com.example.occi.monitoring.EWMA.gain` → `gain`; a short name stays.
std::string_view short_name(std::string_view attribute);
/// `http://example.com/occi/monitoring/aggregator#EWMA` → `EWMA`; a term stays.
std::string_view term_of(std::string_view mixin);

/// The mixins as OCCI discovers them, in the format of `src/occi/data`: `aggregators.yaml` and `publishers.yaml`. Both
/// depend on `http://schemas.ogf.org/occi/monitoring#aggregator` and `…#publisher`, and apply to `…#sensor`.
EmbeddedFiles mixin_files();

/// What a pipe may hold.
struct PipeLimits {
  std::size_t max_series = 10'000;  ///< that each aggregator remembers at once; records of others are dropped
  Duration max_ahead{60'000};       ///< records that are newer than now by more are dropped
};

/// What a pipe did not pass on, and why. Only grows.
struct PipeCounters {
  std::uint64_t records = 0;      ///< pushed
  std::uint64_t published = 0;    ///< handed out, once for each publisher
  std::uint64_t unread = 0;       ///< of streams that nothing reads
  std::uint64_t ahead = 0;        ///< newer than now by too much
  std::uint64_t late = 0;         ///< of a window that is closed, or not newer than what their series had
  std::uint64_t not_numbers = 0;  ///< lines, NaN (and ±Inf where a memory is kept) to what computes
  std::uint64_t over_limit = 0;   ///< of series beyond `max_series`
  std::uint64_t refused = 0;      ///< filtered, or withheld by anonymization
  std::uint64_t failed = 0;       ///< evaluations of an expression that could not be done
  bool operator==(const PipeCounters&) const = default;
};

/// A record that goes to a publisher.
struct Published {
  std::uint32_t publisher = 0;  ///< its place in `PipeSpec::publishers`
  std::string_view stream;      ///< lives as long as the pipe
  Record record;
};

/// Thread-compatible. Its memory is bounded: each aggregator keeps at most `max_series` states, and forgets those of
/// label sets that stay away. State is not kept across restarts: what a window held is lost, averages begin anew.
class Pipe {
 public:
  /// The errors of `check`.
  static Result<Pipe> make(PipeSpec spec, PipeLimits limits = {});
  ~Pipe();
  Pipe(Pipe&&) noexcept;
  Pipe& operator=(Pipe&&) noexcept;

  /// Appends to `out` what becomes of the record at once. A stream that nothing reads is counted and no error:
  /// orders to collectors and pipes change one after the other.
  void push(std::string_view stream, const Record& record, Time now, std::vector<Published>& out);
  /// Appends what is due: windows that ended, expressions, forgetting. May be called at any time.
  void tick(Time now, std::vector<Published>& out);
  /// When `tick` has something to do at the earliest; kMaxTime: never, as long as nothing is pushed.
  Time due() const;

  const PipeSpec& spec() const;
  const PipeCounters& counters() const;
  std::size_t remembered() const;  ///< states of all aggregators

 private:
  struct Impl;
  explicit Pipe(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace atalaya::sense
