// Reads a block from its first byte to its last.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "io/checksum.h"
#include "tsdb/block/block_impl.h"
#include "tsdb/encoding/times.h"
#include "tsdb/encoding/values.h"

namespace atalaya::tsdb {
namespace {

struct Part {
  std::uint64_t offset;
  std::uint64_t length;
  std::uint32_t crc;
};

/// What has been seen of a vector of instants; series that share it are compared with this.
struct SeenVector {
  std::uint32_t count;
  std::int64_t first;
  std::int64_t last;
};

/// Walks all series in order. Thread-compatible.
class SeriesCheck {
 public:
  explicit SeriesCheck(const BlockDirectory& directory) : directory_(directory) {}

  template <typename Impl>
  Status check(const Impl& block, const Index& index, std::uint32_t ordinal) {
    AT_TRY(index.chunks(ordinal, chunks_));
    if (chunks_.empty()) return fail(ErrorCode::kCorruption, "it has no chunk");
    for (std::size_t i = 0; i < chunks_.size(); ++i) {
      const auto& chunk = chunks_[i];
      if (i > 0 && chunk.first <= chunks_[i - 1].last) return fail(ErrorCode::kCorruption, "its chunks overlap");
      AT_TRY(check_values(block, chunk));
      AT_TRY(check_times(block, chunk));
      samples_ += chunk.count;
    }
    first_ = std::min(first_, chunks_.front().first);
    last_ = std::max(last_, chunks_.back().last);
    return {};
  }

  Status check_totals() const {
    const auto& meta = directory_.meta;
    if (samples_ != meta.samples || first_ != meta.first || last_ != meta.last) {
      return damaged_part("directory", directory_.offset,
                          fmt::format("{} samples from {} to {} are said, {} from {} to {} are there", meta.samples,
                                      meta.first, meta.last, samples_, first_, last_));
    }
    if (values_crc_ != directory_.values_crc || instants_crc_ != directory_.instants_crc) {
      return damaged_part("directory", directory_.offset, "the samples that decode are not those that were encoded");
    }
    if (seen_.size() != directory_.vectors) {
      return damaged_part("directory", directory_.offset, "it says more vectors of instants than series have");
    }
    return {};
  }

 private:
  template <typename Impl>
  Status check_values(const Impl& block, const ChunkRef& chunk) {
    UnpackedPagePtr page;
    std::string_view columns[kRollupColumns];
    AT_TRY(block.columns_of(chunk, page, columns));
    values_.resize(std::max<std::size_t>(values_.size(), chunk.count));
    for (std::uint32_t c = 0; c < directory_.meta.columns; ++c) {
      if (auto done = decode_values(columns[c], chunk.count, values_.data()); !done) {
        return fail_within(fmt::format("page {} of values, chunk at {}, column {}", chunk.page, chunk.offset, c),
                           std::move(done).error());
      }
      values_crc_ = content_crc(std::span<const double>(values_).first(chunk.count), values_crc_);
    }
    return {};
  }

  template <typename Impl>
  Status check_times(const Impl& block, const ChunkRef& chunk) {
    if (chunk.times > seen_.size()) {
      return fail(ErrorCode::kCorruption, fmt::format("vector of instants {} comes before its turn", chunk.times));
    }
    if (chunk.times == seen_.size()) {
      times_.clear();
      AT_TRY(block.read_times(chunk, times_));
      instants_crc_ = content_crc(std::span<const std::int64_t>(times_), instants_crc_);
      seen_.push_back({chunk.count, chunk.first, chunk.last});
      return {};
    }
    const auto& seen = seen_[chunk.times];
    if (seen.count != chunk.count || seen.first != chunk.first || seen.last != chunk.last) {
      return fail(ErrorCode::kCorruption, fmt::format("vector of instants {} is not the chunk's", chunk.times));
    }
    return {};
  }

  const BlockDirectory& directory_;
  std::vector<SeenVector> seen_;  ///< by number: they are numbered as they first appear
  std::uint64_t samples_ = 0;
  std::uint32_t values_crc_ = 0;
  std::uint32_t instants_crc_ = 0;
  std::int64_t first_ = std::numeric_limits<std::int64_t>::max();
  std::int64_t last_ = std::numeric_limits<std::int64_t>::min();
  std::vector<ChunkRef> chunks_;
  std::vector<double> values_;
  std::vector<std::int64_t> times_;
};

}  // namespace

Status Block::Impl::verify_parts() const {
  std::vector<Part> parts;
  for (const auto& page : directory.values) parts.push_back({page.offset, page.stored, page.crc});
  for (const auto& page : directory.instants) parts.push_back({page.offset, page.stored, page.crc});
  for (const auto& entry : directory.tenants) parts.push_back({entry.offset, entry.length, entry.crc});
  std::sort(parts.begin(), parts.end(),
            [](const Part& a, const Part& b) { return std::pair(a.offset, a.length) < std::pair(b.offset, b.length); });
  std::uint64_t at = kBlockHeaderBytes;
  for (const auto& part : parts) {
    if (part.offset != at) return damaged_part("a part", part.offset, fmt::format("the one before ends at {}", at));
    mapping->will_read(part.offset, part.length);
    const auto crc = io::crc32c(mapping->bytes().substr(part.offset, part.length));
    if (crc != part.crc) {
      return damaged_part("a part", part.offset, fmt::format("crc {:08x}, stored {:08x}", crc, part.crc));
    }
    at += part.length;
  }
  if (at != directory.offset) return damaged_part("directory", directory.offset, fmt::format("parts end at {}", at));
  return {};
}

Status Block::Impl::verify_series() const {
  SeriesCheck check(directory);
  for (std::size_t t = 0; t < tenants.size(); ++t) {
    const auto& index = *indexes[t];
    if (auto verified = index.verify(); !verified) {
      return fail_within("index of " + tenants[t].value(), std::move(verified).error());
    }
    for (std::uint32_t i = 0; i < index.size(); ++i) {
      if (auto checked = check.check(*this, index, i); !checked) {
        return fail_within(fmt::format("series {} of {}", i, tenants[t].value()), std::move(checked).error());
      }
    }
  }
  return check.check_totals();
}

/// What says where the parts are is in memory since the file was opened: a start will read it from the file.
Status Block::Impl::verify_ends() const {
  AT_TRY(const auto again, parse_block(mapping->bytes()));
  if (again.offset == directory.offset && again.values_crc == directory.values_crc &&
      again.instants_crc == directory.instants_crc && again.meta.samples == directory.meta.samples) {
    return {};
  }
  return damaged_part("directory", directory.offset, "it is another one than when the file was opened");
}

Status Block::Impl::verify() const {
  AT_TRY(verify_ends());
  AT_TRY(verify_parts());
  return verify_series();
}

}  // namespace atalaya::tsdb
