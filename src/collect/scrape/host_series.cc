#include "collect/scrape/host_series.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "ingest/agent_payload.h"

namespace atalaya::collect::scrape {
namespace {

constexpr std::string_view kInstance = "instance";
constexpr Duration kBetweenLooks = std::chrono::minutes{1};

}  // namespace

Labels on_host(const Labels& labels, const std::string& host) {
  const auto own = labels.get(kInstance);
  if (own == host) return labels;
  LabelsBuilder out(labels);
  out.set(kInstance, host);
  if (own.empty()) return out.build();
  std::string name = "exported_instance";
  while (labels.has(name)) name.insert(0, "exported_");
  out.set(name, own);
  return out.build();
}

HostSeries::HostSeries(LabelsTable& labels, std::string host, const Clock& clock, std::function<void()> added)
    : table_(labels), host_(std::move(host)), clock_(clock), added_(std::move(added)), looked_(clock.steady()) {}

HostSeries::~HostSeries() {
  for (const auto& [id, used] : used_) table_.release(used.labels);
}

Result<SeriesId> HostSeries::resolve(const TenantId&, const Labels& labels) {
  auto whole = on_host(labels, host_);
  const auto now = clock_.steady();
  if (const auto found = ids_.find(whole); found != ids_.end()) {
    used_[found->second].last = now;
    return found->second;
  }
  if (whole.packed().size() > ingest::kMaxLabelsBytes) {
    return fail(ErrorCode::kTooLarge,
                fmt::format("labels of {} bytes; {} can be sent", whole.packed().size(), ingest::kMaxLabelsBytes));
  }
  const SeriesId id{next_++};
  used_[id] = {table_.add(whole), now};
  ids_.emplace(std::move(whole), id);
  return id;
}

void HostSeries::append(const TenantId&, storage::SampleBatch batch, storage::AppendDone done) {
  const auto now = clock_.steady();
  storage::Appended appended;
  for (const auto& sample : batch.samples) {
    const auto found = used_.find(sample.series);
    if (found == used_.end()) continue;
    found->second.last = now;
    waiting_.push_back({found->second.labels, sample.time, sample.value});
    ++appended.accepted;
  }
  if (!waiting_.empty() && added_) added_();
  if (done) done(std::move(appended));
}

void HostSeries::collect(Batch& out) {
  for (const auto& sample : waiting_) out.sample(sample.series, sample.time, sample.value);
  waiting_.clear();
}

void HostSeries::forget_unused(Duration idle) {
  const auto now = clock_.steady();
  if (now - looked_ < kBetweenLooks || !waiting_.empty()) return;
  looked_ = now;
  std::erase_if(ids_, [&](const auto& entry) {
    const auto used = used_.find(entry.second);
    if (now - used->second.last <= idle) return false;
    table_.release(used->second.labels);
    used_.erase(used);
    return true;
  });
}

}  // namespace atalaya::collect::scrape
