// The series of one scrape job of an agent: where a scrape gives its samples, until they are collected.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "collect/batch.h"
#include "storage/series.h"

namespace atalaya::collect::scrape {

/// What an agent calls a target's series: `instance` is its host, as of everything that an agent measures; what the
/// target is called by its own labels becomes `exported_instance`, where it differs.
Labels on_host(const Labels& labels, const std::string& host);

/// Takes samples as a store does, and keeps them for the next `collect`. Labels that got no sample for so long that
/// their id is no longer good are let go. Strand-bound; tenants are not looked at.
class HostSeries final : public storage::SeriesAppender {
 public:
  /// `added` is called when samples wait to be collected.
  HostSeries(LabelsTable& labels, std::string host, const Clock& clock, std::function<void()> added);
  ~HostSeries() override;

  /// too_large beyond what an agent can tell its server.
  Result<SeriesId> resolve(const TenantId& tenant, const Labels& labels) override;
  /// `done` is called at once: the agent's own queue is durable.
  void append(const TenantId& tenant, storage::SampleBatch batch, storage::AppendDone done) override;
  std::uint64_t last_sequence(const TenantId&, const std::string&) const override { return 0; }

  /// Hands over what came since the last call.
  void collect(Batch& out);
  /// Lets go of what was not used for `idle`, once a while.
  void forget_unused(Duration idle);
  std::size_t size() const { return used_.size(); }

 private:
  struct Used {
    LabelsId labels = kNoLabels;
    Steady last{};
  };

  LabelsTable& table_;
  const std::string host_;
  const Clock& clock_;
  const std::function<void()> added_;
  std::unordered_map<Labels, SeriesId> ids_;
  std::unordered_map<SeriesId, Used> used_;
  std::vector<Batch::SampleEntry> waiting_;
  std::uint64_t next_ = 1;
  Steady looked_{};
};

}  // namespace atalaya::collect::scrape
