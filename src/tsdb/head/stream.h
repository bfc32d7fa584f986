// The samples of one series in memory, as a stream of bits.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "model/sample.h"
#include "storage/series.h"
#include "tsdb/head/arena.h"

namespace atalaya::tsdb {

/// What the head keeps of a series: one cache line. Samples lie in chunks of at most
/// `chunk_samples`, each a chain of lines of the arena:
///
///   first line   word 0: handle of the chunk before (low half), of the next line (high half);
///                word 1: its samples, once it is closed; word 2: first time; word 3: first value;
///                words 4–7: bits
///   other lines  word 0: handle of the next line (high half); words 1–7: bits
///
/// Bits run from the highest to the lowest. Of every sample but the first, the time as the
/// difference of differences d: `0` d = 0; `10` 7 bits; `110` 12; `1110` 20; `1111` 64, all zigzag.
/// Then the value: `0` as before; `10`, two bits of class and a zigzag difference of 6, 12, 20 or 40
/// bits between whole numbers; `110` XOR in the window of the last one; `111` leading zeros (5
/// bits), length − 1 (6 bits), XOR (Pelkonen et al., "Gorilla", VLDB 2015).
struct alignas(64) SeriesState {
  std::int64_t last_time = INT64_MIN;    ///< of the stream; INT64_MIN before the first sample
  std::int64_t staged_time = INT64_MIN;  ///< what last_time becomes once the log has it; the committer's alone
  std::uint64_t last_value = 0;          ///< its bits
  const std::uint32_t* pairs = nullptr;  ///< of the labels, see PairTable; null once the series is retired
  std::uint32_t delta = 0;               ///< between the last two times
  std::uint32_t chunk = 0;               ///< the open chunk, or 0; of generation `generation`
  std::uint32_t older = 0;               ///< newest chunk of the generation before, while that is being written out
  std::uint32_t line = 0;                ///< last line of the open chunk
  std::uint32_t generation = 0;
  std::uint16_t count = 0;  ///< samples of the open chunk
  std::uint8_t word = 0;    ///< of `line`, the one that is being filled
  std::uint8_t free = 0;    ///< bits of it that are free
  std::uint8_t leading = 0;
  std::uint8_t length = 0;  ///< of the XOR window; 0 for none
  std::uint8_t pair_count = 0;
  bool defined = false;    ///< the log has its labels; the committer's alone
  std::uint32_t used = 0;  ///< when it was last resolved or appended to, Unix seconds
};
static_assert(sizeof(SeriesState) == 64);

/// Adds a sample after all others. `state.generation` is the arena's.
void append(SeriesState& state, Arena& arena, std::uint16_t chunk_samples, std::int64_t time, double value);

/// A run of samples that stays as it is while writers go on: full chunks in the arena, and a copy of
/// the open one. Immutable.
class StreamView {
 public:
  StreamView() = default;
  /// Of the chunks that may hold samples in the range. `newest` and its count as the state says (count
  /// 0: the chunk is closed). Excluded from writers by the caller while it is made.
  static StreamView of(std::shared_ptr<const Arena> arena, std::uint32_t newest, std::uint16_t open_count,
                       storage::TimeRange range);

  bool empty() const { return chunks_.empty(); }
  /// Of the oldest sample in it; not for an empty one.
  Time first() const;
  /// Appends what lies in the range, ascending.
  void read(storage::TimeRange range, std::vector<Sample>& out) const;

 private:
  std::shared_ptr<const Arena> arena_;
  std::vector<std::uint32_t> chunks_;  ///< ascending; the last one is the open one if there is a copy
  std::vector<Line> open_;             ///< its lines in order
  std::uint16_t open_count_ = 0;
};

struct ChainExtent {
  std::uint64_t chunks = 0;
  std::int64_t first = INT64_MAX;  ///< time of the oldest sample
};
/// Of the chain that ends with `newest`; 0: of none.
ChainExtent extent_of(const Arena& arena, std::uint32_t newest);

/// All samples of a chain of chunks, ascending, without a view: for the thread that writes them out,
/// when nobody appends to them any more. Appends to `times` and `values`.
void read_chain(const Arena& arena, std::uint32_t newest, std::uint16_t open_count, std::vector<std::int64_t>& times,
                std::vector<double>& values);

}  // namespace atalaya::tsdb
