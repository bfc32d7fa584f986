// What Alerta's clients ask of lists: fields as parameters, and `q` in its query language.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "alerts/report_queries.h"
#include "api/json.h"
#include "net/http.h"

namespace atalaya::api::alerta {

using Test = std::function<bool(const alerts::SeenReport&)>;

/// The values of a field of Alerta's – for a list its elements, for `attributes.x` the attribute – as texts; false for
/// a field that there is none. `_.x` is `attributes.x`.
bool values_of(const alerts::SeenReport& seen, std::string_view field, std::vector<std::string>& out);
bool is_list(std::string_view field);
bool is_time(std::string_view field);

/// A regular expression that matches these characters and no others.
std::string pattern_of(std::string_view text);

/// `text` in the language of `q`, as Lucene has it: words, "phrases", /regular expressions/, wildcards, ranges,
/// `field:…`, `_exists_:field`, AND, OR (between two terms with nothing else), NOT, + and -, parentheses. Without a
/// field it is about `text`. invalid_argument with the place of the mistake.
Result<Test> parse_search(std::string_view text);

/// A list's parameters.
struct Query {
  std::vector<Test> tests;
  std::optional<Time> from;  ///< last received after
  std::optional<Time> to;    ///< and not after
  struct Order {
    std::string field;
    bool descending = false;
  };
  std::vector<Order> order;
  std::size_t page = 1;
  std::size_t page_size = 1000;
  bool raw_data = false;
  bool history = false;
  std::string group_by = "event";
  alerts::ReportQueries::Which which = alerts::ReportQueries::Which::kAll;

  static Result<Query> of(const net::Parameters& parameters);
  bool matches(const alerts::SeenReport& seen) const;
  /// Those that match, sorted.
  std::vector<alerts::SeenReport> select(std::vector<alerts::SeenReport> all) const;
};

struct PageParameters {
  std::size_t number = 1;
  std::size_t size = 1000;
};
/// `page`, and `page-size` or `limit`.
Result<PageParameters> page_parameters(const net::Parameters& parameters);

/// A page of `all`, objects as they are shown: those whose fields have one of the values that the parameter of that
/// name has – a list: as an element –, or none where `!` stands behind the name; sorted by `sort-by`.
Result<net::Response> page_of(std::string_view what, const json::array& all, const net::Parameters& parameters);

/// Whether a text of a parameter means yes: yes, true, 1, on.
bool means_yes(std::string_view text);

}  // namespace atalaya::api::alerta
