// Go's text templates, as far as the rule files and messages of Prometheus and Alertmanager use them.
#pragma once

#include <boost/json.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "template/value.h"

namespace atalaya::templates {

/// A function that the one who renders brings along; it wins over one of ours.
struct GivenFunction {
  std::string name;
  int min_arguments = 0;
  int max_arguments = 0;
};

struct ParseOptions {
  std::string file;                      ///< for places in errors
  std::vector<std::string> variables;    ///< declared outside, without `$`: labels, value, …
  std::vector<GivenFunction> functions;  ///< answered by RenderOptions::call
  /// Only what Go's parser refuses is refused: numbers of arguments, arguments to what is no function, and templates
  /// that are not defined are errors of rendering.
  bool as_go = false;
};

struct RenderOptions {
  /// Values of the outside variables; one that is missing is null.
  std::vector<std::pair<std::string, boost::json::value>> variables;
  std::function<Result<Value>(std::string_view name, const Arguments& arguments)> call;
  /// Types as Prometheus' templates have them: a field that the data themselves lack is an error, a missing label is
  /// "", and a number with decimals is compared with no whole one.
  bool strict = false;
  std::optional<Time> now;  ///< what `now` answers; without, it is refused
  std::size_t max_output_bytes = 256 * 1024;
  std::size_t max_steps = 100'000;  ///< nodes and function calls
};

/// A parsed template. Immutable, cheap to copy, thread-safe.
///
/// Text; `{{ }}` with trim markers and comments; fields (`.Labels.x`, `$labels.x`), variables
/// (`:=`, `=`), pipelines, parentheses; if / else if / else, with, range (with variables, else,
/// break, continue), define / template / block. Functions: Go's own (and or not eq ne lt le gt ge
/// len index slice print printf println html js urlquery call) and those of Prometheus and Alertmanager
/// (toUpper toLower title trimSpace join match reReplaceAll stringSlice safeHtml safeUrl humanize
/// humanize1024 humanizeDuration humanizePercentage humanizeTimestamp parseDuration args sortedPairs
/// first value strvalue label sortByLabel stripPort stripDomain toTime toDuration now urlQueryEscape
/// graphLink tableLink toJson externalURL pathPrefix). `query` answers "not available here" unless
/// RenderOptions::call brings it; a sample is {"Labels", "Value"}. toTime and toDuration yield Go's time.Time (UTC) and
/// time.Duration with their methods (`(toTime $value).Year`, `.Format "15:04"`, `(toDuration 90).Minutes`).
///
/// Data are JSON values. A field `X` is the member `X`, else the member with a small first letter
/// (`.GroupLabels` finds `groupLabels`), else one of: on objects SortedPairs, Names, Values, Remove;
/// on arrays Firing, Resolved (alerts by their status), Names, Values. A missing member is null and
/// prints as "". Truth, comparison and printing follow Go.
class Template {
 public:
  /// invalid_argument with the place of the fault.
  static Result<Template> parse(std::string_view text, const ParseOptions& options = {});

  /// unprocessable with the place when a function refuses its arguments; too_large when a bound is
  /// hit.
  Result<std::string> render(const boost::json::value& data, const RenderOptions& options = {}) const;

 private:
  struct Impl;
  explicit Template(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace atalaya::templates
