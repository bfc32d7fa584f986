// Which part of a pipe reads which stream: names become numbers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "sense/part_types.h"
#include "sense/pipe.h"

namespace atalaya::sense {

/// An aggregator with the streams of one of its places: most have a node for each `instream`, `Join` has one for all.
struct WiredNode {
  std::size_t part = 0;              ///< its place in `PipeSpec::aggregators`
  std::vector<std::uint32_t> input;  ///< streams
  std::uint32_t output = 0;
};

/// Immutable.
struct Wiring {
  std::vector<std::string> streams;  ///< by number
  std::vector<PartSettings> aggregators;
  std::vector<PartSettings> publishers;
  std::vector<WiredNode> nodes;                          ///< what makes a stream comes before what reads it
  std::vector<std::vector<std::uint32_t>> publisher_of;  ///< by stream: publishers that read it
  Checked told;
};

/// The errors of `check`, but for what only the aggregators themselves know of their attributes.
Result<Wiring> wire(const PipeSpec& spec);

}  // namespace atalaya::sense
