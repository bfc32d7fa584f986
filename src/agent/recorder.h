// Turns what collectors hand over into records of the spool.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "agent/spool.h"
#include "collect/batch.h"
#include "ingest/agent_payload.h"
#include "io/compress.h"

namespace atalaya::agent {

/// Keeps the dictionary of the spool's current scope: which label set has which number. Strand-bound.
class Recorder {
 public:
  Recorder(Spool& spool, collect::LabelsTable& labels);

  /// Writes the batch as one record, its samples before as further ones where they are more than a frame takes, and
  /// frees the labels released since the last call. A batch
  /// without marks always finds a place (in memory while the disk refuses); one with marks is on the
  /// disk or refused. Returns the last sequence.
  Result<std::uint64_t> record(Time now, const collect::Batch& batch);

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  using Samples = std::span<const collect::Batch::SampleEntry>;

  /// Takes from the front of `samples` what fits into a record.
  Samples next_part(Samples& samples) const;
  Result<std::uint64_t> write(Time now, Samples samples, const collect::Batch* rest);
  Result<std::uint64_t> write_safely(Time now, Samples samples, const collect::Batch* rest);
  std::uint32_t ref(collect::LabelsId id);
  void start_scope(std::uint64_t scope);

  Spool& spool_;
  collect::LabelsTable& labels_;
  io::ZstdCompressor compressor_;
  ingest::PayloadWriter writer_;
  std::uint64_t scope_ = 0;
  std::size_t scope_bytes_ = 0;      ///< of label sets defined in the scope
  std::vector<std::uint32_t> refs_;  ///< by LabelsId
  std::string packed_;
};

}  // namespace atalaya::agent
