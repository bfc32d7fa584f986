// The inside of a Block, for the files that it is spread over.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/file_system.h"
#include "tsdb/block/block.h"
#include "tsdb/block/block_layout.h"
#include "tsdb/block/page_cache.h"
#include "tsdb/block/recent_pages.h"

namespace atalaya::tsdb {

/// A page as it is stored, unpacked.
struct UnpackedPage {
  std::string bytes;
  std::vector<std::uint32_t> starts;  ///< of a page of instants: where each vector's text begins

  std::size_t weight() const { return sizeof(*this) + bytes.capacity() + starts.capacity() * sizeof(std::uint32_t); }
};
using UnpackedPagePtr = std::shared_ptr<const UnpackedPage>;

struct Block::Impl {
  std::string path;
  std::unique_ptr<io::Mapping> mapping;
  BlockDirectory directory;
  std::vector<TenantId> tenants;
  std::vector<TenantId> unread;                 ///< their indexes do not read
  std::vector<std::unique_ptr<Index>> indexes;  ///< one a tenant
  const std::uint64_t unique = unique_number();
  PageKeeper kept{std::make_shared<PageCache>(kOwnCacheBytes)};

  /// Null for a tenant that is not here.
  const Index* index_of(const TenantId& tenant) const;
  /// Checks the checksum of the stored bytes, and unpacks them.
  Result<std::string> unpack(std::string_view part, std::size_t number, const PageEntry& page) const;
  Result<UnpackedPagePtr> values_page(std::uint32_t number) const;
  Result<UnpackedPagePtr> instants_page(std::uint32_t number) const;
  /// The encoded vector; `page` keeps it.
  Result<std::string_view> vector_of_instants(std::uint32_t number, UnpackedPagePtr& page) const;
  /// The columns of a chunk, undecoded, as many as the block has; `page` keeps them.
  Status columns_of(const ChunkRef& chunk, UnpackedPagePtr& page, std::string_view* columns) const;
  /// Appends the chunk's instants.
  Status read_times(const ChunkRef& chunk, std::vector<std::int64_t>& times) const;
  /// The chunk's instants, from what the thread read last where they are there. Good until its next call.
  Result<std::span<const std::int64_t>> recent_times(const ChunkRef& chunk) const;
  /// Appends the chunk's values, column by column.
  Status read_columns(const ChunkRef& chunk, std::vector<std::vector<double>>& columns) const;

  Status verify() const;
  Status verify_ends() const;
  Status verify_parts() const;
  Status verify_series() const;
};

}  // namespace atalaya::tsdb
