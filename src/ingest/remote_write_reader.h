// Bodies of Prometheus remote write, read where they lie.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/checksum.h"
#include "model/labels.h"
#include "storage/exemplars.h"
#include "storage/series.h"

namespace atalaya::ingest {

/// kV1: `prometheus.WriteRequest`; kV2: `io.prometheus.write.v2.Request`, up to 2.0-rc.4.
enum class RemoteWriteVersion : std::uint8_t { kV1, kV2 };

/// What one body may hold, whatever its size: each bounds memory.
struct RemoteWriteLimits {
  std::size_t series = 500'000;
  std::size_t samples = 1'000'000;
  std::size_t symbols = 1'000'000;  ///< of 2.0
  std::size_t exemplars = 100'000;  ///< more of them are passed over
};
constexpr std::size_t kMaxLabelsOnWire = 256;  ///< of one series

/// Reads one body after the other into vectors that stay, so that nothing is allocated for a body like the one
/// before but its samples. Bytes may come from anywhere. Views point into the body, which must outlive them.
///
/// A series is named by `keys()[i]`: the hash of the very bytes of its labels (1.0), or of what its label references
/// stand for (2.0). Equal keys mean equal labels; equal labels written in two ways have two keys. {0,0} where a
/// reference stands for nothing: `labels(i)` says what is wrong. Thread-compatible.
class RemoteWriteReader {
 public:
  struct Series {
    std::string_view message;       ///< its TimeSeries
    std::uint32_t samples_end = 0;  ///< its samples end here, and begin where those of the series before end
  };

  explicit RemoteWriteReader(RemoteWriteLimits limits = {});

  /// invalid_argument when the bytes are no such message, too_large when they hold more than the limits; then the rest
  /// of this object is unspecified. Unknown fields are skipped, but a body of nothing else is refused: it
  /// is of the other version. So are groups, which no version has.
  Status read(RemoteWriteVersion version, std::string_view body);

  const std::vector<Series>& series() const { return series_; }
  std::span<const storage::SeriesKey> keys() const { return keys_; }
  /// In the order of the body, with series id 0. To be moved out.
  std::vector<storage::SeriesSample>& samples() { return samples_; }
  std::uint64_t histograms() const { return histograms_; }
  std::uint64_t exemplars() const { return exemplars_.size(); }
  /// One of them: the place of its series, and what it says; invalid_argument as `labels`, but that it has no name.
  std::size_t series_of_exemplar(std::size_t i) const { return exemplars_[i].series; }
  Result<storage::Exemplar> exemplar(std::size_t i);
  std::uint64_t metadata() const { return metadata_; }
  std::size_t first_sample(std::size_t i) const { return i == 0 ? 0 : series_[i - 1].samples_end; }

  /// The labels of one series: sorted, empty values left out. invalid_argument: not UTF-8, an empty or repeated name,
  /// no `__name__`, more than kMaxLabelsOnWire, a bad reference.
  Result<Labels> labels(std::size_t i);
  /// Takes back what a large body made this object hold.
  void shrink();

 private:
  struct Cursor;
  /// Those of one series of 2.0. The sum of their symbols' hashes, each times the factor of its place: as these are
  /// secret and odd, two sequences meet no more often than two draws of 128 bits. 1.0's hashes are of another kind.
  struct References {
    io::Hash128 sum;
    std::uint32_t count = 0;
    bool good = true;
  };
  Status read_v1(std::string_view body);
  Status read_v2(std::string_view body);
  bool read_series_v1(std::string_view message);
  bool read_series_v2(std::string_view message);
  bool read_sample(std::string_view message);
  bool count_field(Cursor& in, std::uint64_t tag, std::uint64_t& counter);
  bool add_reference(std::uint64_t reference);
  storage::SeriesKey key_of_references() const;
  Error refused_series() const;
  Status pairs_v1(std::string_view message);
  Status pairs_v2(std::string_view message);
  Status add_label(std::string_view label);
  bool add_exemplar(Cursor& in);
  Result<Labels> labels_of_pairs(bool with_name = true);

  const RemoteWriteLimits limits_;
  const std::array<io::Hash128, 2 * kMaxLabelsOnWire + 1>& factors_;
  RemoteWriteVersion version_ = RemoteWriteVersion::kV1;
  std::vector<Series> series_;
  std::vector<storage::SeriesKey> keys_;
  std::vector<storage::SeriesSample> samples_;
  std::size_t usual_samples_ = 0;  ///< of the body before
  std::uint64_t histograms_ = 0;
  std::uint64_t metadata_ = 0;

  std::string scattered_;  ///< labels of a series that do not lie together
  std::vector<std::string_view> symbols_;
  std::vector<io::Hash128> symbol_hashes_;  ///< {0,0}: not yet asked for
  std::vector<std::string_view> messages_;  ///< series of 2.0, which may come before the symbols
  References references_;
  std::vector<Labels::Pair> pairs_;
  struct ExemplarMessage {
    std::uint32_t series = 0;
    std::string_view message;
  };
  std::vector<ExemplarMessage> exemplars_;
};

}  // namespace atalaya::ingest
