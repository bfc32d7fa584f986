// Single series, and the words of labels.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "tsdb/store_impl.h"
#include "tsdb/stored_samples.h"

namespace atalaya::tsdb {
namespace {

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

Result<std::vector<storage::SelectedSeries>> Store::select(const TenantId& tenant, const Matchers& matchers,
                                                           storage::TimeRange range) const {
  return impl_->select(tenant, matchers, range, {});
}

Result<std::vector<storage::SelectedSeries>> Store::select_hinted(const TenantId& tenant, const Matchers& matchers,
                                                                  storage::TimeRange range,
                                                                  const storage::SelectHints& hints) const {
  return impl_->select(tenant, matchers, range, hints);
}

Time Store::complete_from() const {
  const auto until = impl_->past_until.load();
  return until == INT64_MIN ? kMinTime : from_ms(until + 1);
}

Status Store::Impl::check_past(Time from) const {
  const auto until = past_until.load();
  if (until == INT64_MIN || to_ms(from) > until) return {};
  return fail(ErrorCode::kUnavailable,
              fmt::format("samples before {} are still being read after a start", format_rfc3339(from_ms(until))),
              "ask again in a minute, or for what is younger");
}

Result<storage::SelectedSeries> Store::series(const TenantId& tenant, SeriesId id, storage::TimeRange range) const {
  range.from = std::max(range.from, impl_->cutoff());
  AT_TRY(impl_->check_past(range.from));
  const auto* head = impl_->head.find(tenant);
  auto found = head ? head->series(id.value(), range) : std::nullopt;
  if (!found) return fail(ErrorCode::kNotFound, fmt::format("no series has the id {}", id.value()));
  range.from = std::max(range.from, impl_->cutoff_of(impl_->retention.of(*found->labels).raw));
  std::vector<BlockPart> parts;
  const auto deletions = impl_->deletes.list();
  const auto all_blocks = impl_->blocks.list();
  for (const auto& block : *all_blocks) {
    const auto& meta = block->meta();
    const bool reads = meta.resolution == 0 && meta.last >= to_ms(range.from) && meta.first <= to_ms(range.to);
    const auto* index = reads ? block->index(tenant) : nullptr;
    if (!index) continue;
    AT_TRY(const auto ordinal, find_series(*index, *found->labels));
    if (ordinal)
      parts.push_back({block, index, *ordinal, hidden_ranges(*deletions, tenant, *found->labels, *block), range});
  }
  return storage::SelectedSeries{id, std::move(found->labels),
                                 std::make_unique<StoredSamples>(tenant, std::move(parts), std::move(found->samples),
                                                                 range, storage::BucketValue::kLast, impl_->suspects)};
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
    if (!index || from_ms(block->meta().last) < cutoff_of(retention.longest(block->meta().resolution))) continue;
    if (auto words = from_block(*index)) {
      add(std::move(*words));
    } else {
      suspects->add(block, words.error());
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
