// Annotations of rules: templates over the labels and the value of an alert.
#pragma once

#include <boost/json.hpp>

#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/result.h"
#include "model/labels.h"
#include "template/template.h"

namespace atalaya::alerts {

/// Parses one annotation, with `$labels`, `$value`, `$externalLabels`, `$externalURL` declared; the
/// same check for the loader of packages. Places count from the beginning of the text.
Result<templates::Template> parse_annotation(std::string_view text, std::string file = {});

boost::json::object labels_json(const Labels& labels);

/// Renders annotations; parsed templates are kept by text. Thread-compatible.
class Annotations {
 public:
  Annotations(std::string external_url, const Labels& external_labels, std::size_t max_bytes)
      : external_url_(std::move(external_url)), external_labels_(labels_json(external_labels)), max_bytes_(max_bytes) {}

  /// A template that fails becomes `<error expanding template: …>`, as with Prometheus.
  std::map<std::string, std::string> render(const std::map<std::string, std::string>& texts, const Labels& labels,
                                            double value);

 private:
  const Result<templates::Template>& parsed(const std::string& text);

  std::string external_url_;
  boost::json::object external_labels_;
  std::size_t max_bytes_;
  std::unordered_map<std::string, Result<templates::Template>> parsed_;
};

}  // namespace atalaya::alerts
