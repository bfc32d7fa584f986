#include "collect/batch.h"

#include "base/check.h"

namespace atalaya::collect {

LabelsId LabelsTable::add(Labels labels) {
  if (free_.empty()) {
    sets_.push_back(std::move(labels));
    return static_cast<LabelsId>(sets_.size() - 1);
  }
  const auto id = free_.back();
  free_.pop_back();
  sets_[id] = std::move(labels);
  return id;
}

void LabelsTable::release(LabelsId id) {
  AT_CHECK(id < sets_.size());
  released_.push_back(id);
}

const std::vector<LabelsId>& LabelsTable::sweep() {
  swept_.swap(released_);
  released_.clear();
  for (const auto id : swept_) {
    sets_[id] = Labels{};
    free_.push_back(id);
  }
  return swept_;
}

void Batch::clear() {
  samples_.clear();
  logs_.clear();
  marks_.clear();
  text_.clear();
  // A burst of lines must not stay as memory for ever.
  constexpr std::size_t kKeepBytes = 256 << 10;
  if (text_.capacity() > kKeepBytes) text_.shrink_to_fit();
}

}  // namespace atalaya::collect
