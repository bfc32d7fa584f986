// The templates of alerting rules: labels and annotations for one element of a result.
#pragma once

#include <functional>
#include <string>

#include "rules/groups/group.h"

namespace atalaya::rules {

/// Evaluates an expression for `query` of a template.
using AskSeries = std::function<Result<promql::Vector>(const std::string& expr)>;

struct Outside {
  Labels external_labels;
  std::string external_url;
};

/// For one element. Borrows all; lives during one evaluation. Thread-compatible.
class Expander {
 public:
  Expander(const Outside& outside, const AskSeries& ask, Time at, const Labels& labels, double value);

  /// A template that fails becomes `<error expanding template: …>`.
  std::string expand(const PromText& text) const;

 private:
  const AskSeries& ask_;
  boost::json::value data_;
  templates::RenderOptions options_;
};

}  // namespace atalaya::rules
