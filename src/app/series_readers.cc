#include "app/series_readers.h"

#include <utility>

namespace atalaya::app {

std::span<const std::uint32_t> SeriesReaders::of(SeriesId id, const Find& find) {
  const auto number = static_cast<std::size_t>(id.value() / kPage);
  if (number >= pages_.size()) pages_.resize(number + 1);
  if (!pages_[number]) {
    if (page_count_ == kMostPages) {
      for (auto& page : pages_) page.reset();
      page_count_ = 0;
      lists_.resize(1);
    }
    pages_[number] = std::make_unique<Page>();
    ++page_count_;
  }
  auto& place = (*pages_[number])[id.value() % kPage];
  if (place == 0) {
    auto found = find(id);
    if (!found) return {};
    place = 1;
    if (!found->empty()) {
      lists_.push_back(std::move(*found));
      place = static_cast<std::uint32_t>(lists_.size());
    }
  }
  return lists_[place - 1];
}

}  // namespace atalaya::app
