#include "app/budgeted_series.h"

namespace atalaya::app {

Result<std::vector<storage::SelectedSeries>> BudgetedSeries::select(const TenantId& tenant, const Matchers& matchers,
                                                                    storage::TimeRange range) const {
  AT_TRY(memory_.admit());
  return series_.select(tenant, matchers, range);
}

Result<std::vector<storage::SelectedSeries>> BudgetedSeries::select_hinted(const TenantId& tenant,
                                                                           const Matchers& matchers,
                                                                           storage::TimeRange range,
                                                                           const storage::SelectHints& hints) const {
  AT_TRY(memory_.admit());
  return series_.select_hinted(tenant, matchers, range, hints);
}

Result<storage::SelectedSeries> BudgetedSeries::series(const TenantId& tenant, SeriesId id,
                                                       storage::TimeRange range) const {
  AT_TRY(memory_.admit());
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
