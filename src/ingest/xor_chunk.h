// Chunks of samples as Prometheus keeps and streams them.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "model/sample.h"

namespace atalaya::ingest {

constexpr std::size_t kXorChunkSamples = 120;  ///< as many as Prometheus puts into one

/// Encoding XOR: a big-endian count of 16 bits; the first time as a zigzag varint and the first value whole; the second
/// time as a varint of its distance; then of each time how its distance differs from the one before, and of each value
/// the bits in which it differs from the one before, after Gorilla (Pelkonen et al., VLDB 2015) with milliseconds.
/// Takes 1 to 65,535 samples, ascending in time.
std::string xor_chunk(std::span<const Sample> samples);

}  // namespace atalaya::ingest
