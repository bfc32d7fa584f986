#include "tsdb/block/index.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "tsdb/block/index_impl.h"

namespace atalaya::tsdb {
namespace index {

Result<std::string_view> PairReader::value(std::uint32_t pair) {
  const auto& directory = pages_.directory();
  const auto number = directory.page_of(PageKind::kPairs, pair);
  auto& held = held_[number % held_.size()];
  if (held.number != number) {
    AT_TRY(held.page, pages_.pairs(number));
    held.number = number;
  }
  return held.page->value(pair - directory.of(PageKind::kPairs)[number].first_item);
}

std::unexpected<Error> wrong_list(const ListRef& list) {
  return fail(ErrorCode::kCorruption,
              fmt::format("index: page {} of lists, offset {}: the list is wrong", list.page, list.offset));
}

}  // namespace index

using index::PageKind;

namespace {

std::unexpected<Error> wrong_labels(std::uint32_t ordinal) {
  return fail(ErrorCode::kCorruption, fmt::format("index: the labels of series {} are wrong", ordinal));
}

}  // namespace

Index::Index(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Index::~Index() = default;

Result<std::unique_ptr<Index>> Index::open(std::string_view bytes, std::shared_ptr<PageCache> cache) {
  AT_TRY(auto directory, index::Directory::read(bytes));
  if (!cache) cache = std::make_shared<PageCache>(kOwnCacheBytes);
  return std::unique_ptr<Index>(new Index(std::make_unique<Impl>(bytes, std::move(directory), std::move(cache))));
}

void Index::keep_pages_in(const std::shared_ptr<PageCache>& cache) { impl_->pages.keep_in(cache); }

std::uint32_t Index::size() const { return impl_->pages.series(); }

Result<Labels> Index::labels(std::uint32_t ordinal) const {
  AT_TRY(auto all, labels(std::span(&ordinal, 1)));
  return std::move(all.front());
}

Result<std::vector<Labels>> Index::labels(std::span<const std::uint32_t> ordinals) const {
  const auto& directory = impl_->pages.directory();
  std::vector<Labels> out;
  out.reserve(ordinals.size());
  index::PairReader pairs(impl_->pages);
  std::shared_ptr<const index::LabelPage> page;
  const index::Page* head = nullptr;
  LabelsPacker packer;
  for (const auto ordinal : ordinals) {
    AT_CHECK(ordinal < size());
    if (head == nullptr || ordinal - head->first_item >= head->items) {
      const auto number = directory.page_of(PageKind::kLabels, ordinal);
      AT_TRY(page, impl_->pages.labels(number));
      head = &directory.of(PageKind::kLabels)[number];
    }
    // Pairs ascend and texts are UTF-8, as their pages were read; that no name comes twice is left to see.
    const index::Name* name = nullptr;
    for (const auto pair : page->of(ordinal - head->first_item)) {
      if (name != nullptr && pair - name->first_pair < name->pairs) return wrong_labels(ordinal);
      name = &directory.names[directory.name_of(pair)];
      AT_TRY(const auto value, pairs.value(pair));
      packer.add(name->text, value);
    }
    out.push_back(packer.take());
  }
  return out;
}

Result<std::span<const ChunkRef>> Index::chunks(std::uint32_t ordinal) const {
  AT_CHECK(ordinal < size());
  thread_local RecentPages<index::ChunkPage, 8> recent;
  const auto& directory = impl_->pages.directory();
  const auto number = directory.page_of(PageKind::kChunks, ordinal);
  auto& page = recent.of(impl_->unique, number);
  if (!page) {
    AT_TRY(page, impl_->pages.chunks(number));
  }
  return page->of(ordinal - directory.of(PageKind::kChunks)[number].first_item);
}

Status Index::chunks(std::uint32_t ordinal, std::vector<ChunkRef>& out) const {
  AT_TRY(const auto found, chunks(ordinal));
  out.assign(found.begin(), found.end());
  return {};
}

OrdinalIds& Index::ids() const { return impl_->ids; }

}  // namespace atalaya::tsdb
