// Memory and blocks as one.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "telemetry/log.h"
#include "tsdb/store_impl.h"

namespace atalaya::tsdb {
namespace {

struct BlockPart {
  BlockPtr block;
  std::uint32_t ordinal = 0;
  std::vector<storage::TimeRange> hidden;
};

bool is_hidden(const std::vector<storage::TimeRange>& hidden, Time time) {
  return std::any_of(hidden.begin(), hidden.end(),
                     [&](const auto& range) { return time >= range.from && time <= range.to; });
}

/// Reads what it covers when it is first asked. Of two samples of one instant the one of the earlier part
/// stands, memory being the last.
class StoredSamples final : public storage::SampleIterator {
 public:
  StoredSamples(TenantId tenant, std::vector<BlockPart> blocks, HeadSnapshot head, storage::TimeRange range,
                telemetry::Counter& unreadable)
      : tenant_(std::move(tenant)),
        blocks_(std::move(blocks)),
        head_(std::move(head)),
        range_(range),
        unreadable_(unreadable) {}

  bool next(Sample& out) override {
    if (!loaded_) load();
    if (at_ == samples_.size()) return false;
    out = samples_[at_++];
    return true;
  }
  Status status() const override { return status_; }

 private:
  void load() {
    loaded_ = true;
    ColumnsRead read;
    for (const auto& part : blocks_) {
      if (auto status = part.block->read(tenant_, part.ordinal, range_, read); !status) {
        unreadable_.add();
        telemetry::log_error("tsdb", "samples of a block cannot be read", {{"error", to_string(status.error())}});
        if (status_) status_ = std::move(status);
        continue;
      }
      std::vector<Sample> samples(read.times.size());
      for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = {from_ms(read.times[i]), read.columns[0][i]};
      if (!part.hidden.empty()) std::erase_if(samples, [&](const Sample& s) { return is_hidden(part.hidden, s.time); });
      add(std::move(samples));
    }
    if (!head_.empty()) {
      std::vector<Sample> samples;
      head_.read(range_, samples);
      add(std::move(samples));
    }
    blocks_.clear();
    head_ = {};
  }

  void add(std::vector<Sample>&& samples) {
    if (samples_.empty()) {
      samples_ = std::move(samples);
    } else if (!samples.empty() && samples_.back().time < samples.front().time) {
      samples_.insert(samples_.end(), samples.begin(), samples.end());
    } else if (!samples.empty()) {
      std::vector<Sample> merged;
      merge_samples(std::move(samples_), samples, merged);
      samples_ = std::move(merged);
    }
  }

  const TenantId tenant_;
  std::vector<BlockPart> blocks_;
  HeadSnapshot head_;
  const storage::TimeRange range_;
  telemetry::Counter& unreadable_;
  bool loaded_ = false;
  Status status_;
  std::vector<Sample> samples_;
  std::size_t at_ = 0;
};

bool overlaps(const Block& block, storage::TimeRange range) {
  return block.meta().last >= to_ms(range.from) && block.meta().first <= to_ms(range.to);
}

/// One series and where its samples are.
struct Merged {
  std::shared_ptr<const Labels> labels;
  SeriesId id{0};
  std::vector<BlockPart> blocks;
  HeadSnapshot head;
};

/// Whether a sample of a block's series lies in the range: mostly its chunks' ends tell.
Result<bool> has_samples(const Block& block, const TenantId& tenant, std::uint32_t ordinal, storage::TimeRange range,
                         const std::vector<storage::TimeRange>& hidden) {
  if (!hidden.empty()) {
    ColumnsRead read;
    AT_TRY(block.read(tenant, ordinal, range, read));
    return std::any_of(read.times.begin(), read.times.end(), [&](auto ms) { return !is_hidden(hidden, from_ms(ms)); });
  }
  const auto from = to_ms(range.from);
  const auto to = to_ms(range.to);
  if (block.meta().first >= from && block.meta().last <= to) return true;
  std::vector<ChunkRef> chunks;
  AT_TRY(block.index(tenant)->chunks(ordinal, chunks));
  bool perhaps = false;
  for (const auto& chunk : chunks) {
    if ((chunk.first >= from && chunk.first <= to) || (chunk.last >= from && chunk.last <= to)) return true;
    perhaps = perhaps || (chunk.first < from && chunk.last > to);
  }
  if (!perhaps) return false;
  ColumnsRead read;
  AT_TRY(block.read(tenant, ordinal, range, read));
  return !read.times.empty();
}

/// The series with exactly these labels.
Result<std::optional<std::uint32_t>> find_series(const Index& index, const Labels& labels) {
  Matchers matchers;
  for (const auto& [name, value] : labels) matchers.push_back(Matcher::equal(std::string(name), std::string(value)));
  AT_TRY(const auto ordinals, index.select(matchers));
  for (const auto ordinal : ordinals) {
    AT_TRY(const auto found, index.labels(ordinal));
    if (found == labels) return ordinal;
  }
  return std::nullopt;
}

}  // namespace

Result<std::vector<storage::SelectedSeries>> Store::Impl::select(const TenantId& tenant, const Matchers& matchers,
                                                                 storage::TimeRange range) const {
  if (std::none_of(matchers.begin(), matchers.end(), [](const Matcher& m) { return !m.matches(""); })) {
    return fail(ErrorCode::kInvalidArgument, "at least one matcher must refuse the empty value",
                "name a metric or a label value");
  }
  range.from = std::max(range.from, cutoff());
  // Memory first: what moves to a block in between is then seen twice, not missed.
  std::vector<TenantHead::Found> in_memory;
  const auto* in_memory_of = head.find(tenant);
  if (in_memory_of) {
    AT_TRY(in_memory, in_memory_of->select(matchers, range));
  }
  const auto deletions = deletes.list();
  const auto list = blocks.list();
  std::vector<Merged> merged;
  std::unordered_map<Labels, std::size_t> places;
  const bool only_memory = std::none_of(
      list->begin(), list->end(), [&](const auto& block) { return overlaps(*block, range) && block->index(tenant); });
  if (!only_memory) places.reserve(in_memory.size());
  for (auto& found : in_memory) {
    if (!only_memory) places.emplace(*found.labels, merged.size());
    merged.push_back({std::move(found.labels), SeriesId{found.id}, {}, std::move(found.samples)});
  }
  for (const auto& block : *list) {
    if (block->meta().resolution != 0 || !overlaps(*block, range)) continue;
    const auto* index = block->index(tenant);
    if (!index) continue;
    AT_TRY(const auto ordinals, index->select(matchers));
    AT_TRY(auto labels, index->labels(ordinals));
    for (std::size_t i = 0; i < ordinals.size(); ++i) {
      auto hidden = hidden_ranges(*deletions, tenant, labels[i], *block);
      AT_TRY(const bool wanted, has_samples(*block, tenant, ordinals[i], range, hidden));
      if (!wanted) continue;
      const auto [place, is_new] = places.try_emplace(labels[i], merged.size());
      if (is_new) merged.push_back({std::make_shared<const Labels>(std::move(labels[i])), SeriesId{0}, {}, {}});
      merged[place->second].blocks.push_back({block, ordinals[i], std::move(hidden)});
    }
  }
  std::sort(merged.begin(), merged.end(), [](const Merged& a, const Merged& b) { return *a.labels < *b.labels; });
  std::vector<storage::SelectedSeries> out;
  out.reserve(merged.size());
  for (auto& one : merged) {
    if (in_memory_of && one.id.value() == 0) one.id = SeriesId{in_memory_of->find(*one.labels)};
    auto samples =
        std::make_unique<StoredSamples>(tenant, std::move(one.blocks), std::move(one.head), range, metrics.unreadable);
    out.push_back({one.id, std::move(one.labels), std::move(samples)});
  }
  return out;
}

Result<storage::SelectedSeries> Store::series(const TenantId& tenant, SeriesId id, storage::TimeRange range) const {
  range.from = std::max(range.from, impl_->cutoff());
  const auto* head = impl_->head.find(tenant);
  auto found = head ? head->series(id.value(), range) : std::nullopt;
  if (!found) return fail(ErrorCode::kNotFound, fmt::format("no series has the id {}", id.value()));
  std::vector<BlockPart> parts;
  const auto deletions = impl_->deletes.list();
  const auto all_blocks = impl_->blocks.list();
  for (const auto& block : *all_blocks) {
    const auto* index = block->meta().resolution == 0 && overlaps(*block, range) ? block->index(tenant) : nullptr;
    if (!index) continue;
    AT_TRY(const auto ordinal, find_series(*index, *found->labels));
    if (ordinal) parts.push_back({block, *ordinal, hidden_ranges(*deletions, tenant, *found->labels, *block)});
  }
  return storage::SelectedSeries{id, std::move(found->labels),
                                 std::make_unique<StoredSamples>(tenant, std::move(parts), std::move(found->samples),
                                                                 range, impl_->metrics.unreadable)};
}

std::shared_ptr<const Labels> Store::labels_of(const TenantId& tenant, SeriesId id) const {
  const auto* head = impl_->head.find(tenant);
  return head ? head->labels_of(id.value()) : nullptr;
}

template <typename FromMemory, typename FromBlock>
std::vector<std::string> Store::Impl::collect(const TenantId& tenant, FromMemory&& from_memory,
                                              FromBlock&& from_block) const {
  std::set<std::string> out;
  const auto add = [&](std::vector<std::string> words) {
    out.insert(std::make_move_iterator(words.begin()), std::make_move_iterator(words.end()));
  };
  if (const auto* one = head.find(tenant)) add(from_memory(*one));
  const auto all_blocks = blocks.list();
  for (const auto& block : *all_blocks) {
    const auto* index = block->index(tenant);
    if (!index || block->meta().last < to_ms(cutoff())) continue;
    if (auto words = from_block(*index)) {
      add(std::move(*words));
    } else {
      metrics.unreadable.add();
      telemetry::log_error("tsdb", "labels of a block cannot be read",
                           {{"block", block->path()}, {"error", to_string(words.error())}});
    }
  }
  return {out.begin(), out.end()};
}

std::vector<std::string> Store::label_names(const TenantId& tenant, const Matchers& matchers) const {
  return impl_->collect(
      tenant, [&](const TenantHead& head) { return head.label_names(matchers); },
      [&](const Index& index) { return index.label_names(matchers); });
}

std::vector<std::string> Store::label_values(const TenantId& tenant, std::string_view name,
                                             const Matchers& matchers) const {
  return impl_->collect(
      tenant, [&](const TenantHead& head) { return head.label_values(name, matchers); },
      [&](const Index& index) { return index.label_values(name, matchers); });
}

}  // namespace atalaya::tsdb
