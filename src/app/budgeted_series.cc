#include "app/budgeted_series.h"

#include <fmt/format.h>

namespace atalaya::app {

BudgetedSeries::BudgetedSeries(const storage::SeriesQuerier& series, const telemetry::MemoryBudget& memory,
                               telemetry::Registry& metrics)
    : series_(series),
      memory_(memory),
      refused_(metrics.counter("atalaya_refused_queries_total", "Queries that were refused, by reason.",
                               {{"reason", "memory"}})) {}

Status BudgetedSeries::admit() const {
  if (!memory_.is_full()) return {};
  refused_.add();
  return fail(ErrorCode::kUnavailable,
              fmt::format("no memory for another query: the process takes {} bytes; --memory is {}", memory_.taken(),
                          memory_.limit()),
              "ask again later, or give the server more");
}

Result<std::vector<storage::SelectedSeries>> BudgetedSeries::select(const TenantId& tenant, const Matchers& matchers,
                                                                    storage::TimeRange range) const {
  AT_TRY(admit());
  return series_.select(tenant, matchers, range);
}

Result<std::vector<storage::SelectedSeries>> BudgetedSeries::select_hinted(const TenantId& tenant,
                                                                           const Matchers& matchers,
                                                                           storage::TimeRange range,
                                                                           const storage::SelectHints& hints) const {
  AT_TRY(admit());
  return series_.select_hinted(tenant, matchers, range, hints);
}

Result<storage::SelectedSeries> BudgetedSeries::series(const TenantId& tenant, SeriesId id,
                                                       storage::TimeRange range) const {
  AT_TRY(admit());
  return series_.series(tenant, id, range);
}

std::shared_ptr<const Labels> BudgetedSeries::labels_of(const TenantId& tenant, SeriesId id) const {
  return series_.labels_of(tenant, id);
}

std::vector<std::string> BudgetedSeries::label_names(const TenantId& tenant, const Matchers& matchers) const {
  return series_.label_names(tenant, matchers);
}

std::vector<std::string> BudgetedSeries::label_values(const TenantId& tenant, std::string_view name,
                                                      const Matchers& matchers) const {
  return series_.label_values(tenant, name, matchers);
}

}  // namespace atalaya::app
