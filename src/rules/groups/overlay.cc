#include "rules/groups/overlay.h"

#include <algorithm>
#include <iterator>

namespace atalaya::rules {
namespace {

using storage::SelectedSeries;

/// Two ascending runs as one; of equal instants the first run's sample counts.
class Joined final : public storage::SampleIterator {
 public:
  Joined(std::unique_ptr<SampleIterator> first, std::unique_ptr<SampleIterator> second)
      : first_(std::move(first)), second_(std::move(second)) {
    has_first_ = first_->next(a_);
    has_second_ = second_->next(b_);
  }
  bool next(Sample& out) override {
    if (!has_first_ && !has_second_) return false;
    if (has_first_ && (!has_second_ || a_.time <= b_.time)) {
      if (has_second_ && a_.time == b_.time) has_second_ = second_->next(b_);
      out = a_;
      has_first_ = first_->next(a_);
    } else {
      out = b_;
      has_second_ = second_->next(b_);
    }
    return true;
  }
  Status status() const override { return first_->status(); }

 private:
  std::unique_ptr<SampleIterator> first_;
  std::unique_ptr<SampleIterator> second_;
  Sample a_;
  Sample b_;
  bool has_first_ = false;
  bool has_second_ = false;
};

std::vector<std::string> union_of(std::vector<std::string> a, std::vector<std::string> b) {
  std::vector<std::string> out;
  std::ranges::sort(a);
  std::ranges::sort(b);
  std::ranges::set_union(a, b, std::back_inserter(out));
  return out;
}

}  // namespace

Result<std::vector<SelectedSeries>> OverlaySeries::select(const TenantId& tenant, const Matchers& matchers,
                                                          storage::TimeRange range) const {
  return joined(below_.select(tenant, matchers, range), tenant, matchers, range);
}

Result<std::vector<SelectedSeries>> OverlaySeries::select_hinted(const TenantId& tenant, const Matchers& matchers,
                                                                 storage::TimeRange range,
                                                                 const storage::SelectHints& hints) const {
  return joined(below_.select_hinted(tenant, matchers, range, hints), tenant, matchers, range);
}

Result<std::vector<SelectedSeries>> OverlaySeries::joined(Result<std::vector<SelectedSeries>> below,
                                                          const TenantId& tenant, const Matchers& matchers,
                                                          storage::TimeRange range) const {
  if (!below || empty_) return below;
  AT_TRY(auto above, above_.select(tenant, matchers, range));
  if (above.empty()) return below;
  std::vector<SelectedSeries> out;
  auto a = below->begin();
  auto b = above.begin();
  while (a != below->end() || b != above.end()) {
    if (b == above.end() || (a != below->end() && *a->labels < *b->labels)) {
      out.push_back(std::move(*a++));
    } else if (a == below->end() || *b->labels < *a->labels) {
      out.push_back(std::move(*b++));
    } else {
      a->samples = std::make_unique<Joined>(std::move(a->samples), std::move(b->samples));
      out.push_back(std::move(*a));
      ++a;
      ++b;
    }
  }
  return out;
}

std::vector<std::string> OverlaySeries::label_names(const TenantId& tenant, const Matchers& matchers) const {
  return union_of(below_.label_names(tenant, matchers), above_.label_names(tenant, matchers));
}

std::vector<std::string> OverlaySeries::label_values(const TenantId& tenant, std::string_view name,
                                                     const Matchers& matchers) const {
  return union_of(below_.label_values(tenant, name, matchers), above_.label_values(tenant, name, matchers));
}

}  // namespace atalaya::rules
