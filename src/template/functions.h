// The functions that templates may call.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "template/value.h"

namespace atalaya::templates {

/// What a function may see besides its arguments.
struct CallContext {
  const boost::json::value* external_url = nullptr;
  std::optional<Time> now;  ///< of what is rendered
  bool strict = false;      ///< RenderOptions::strict
};

/// A row of the table. `and` and `or` have no `call`: the evaluator stops at the deciding argument. Nor has
/// one that comes with the rendering.
struct Function {
  std::string_view name;
  int min_arguments = 0;
  int max_arguments = 0;  ///< -1 for any number
  Result<Value> (*call)(const CallContext& context, const Arguments& arguments) = nullptr;
  bool given = false;  ///< answered by RenderOptions::call
  bool texts = false;  ///< to Go its arguments are strings, and nothing else
};

/// Null if there is none of that name.
const Function* find_function(std::string_view name);

/// Parts of the table, one a file.
const Function* find_go_function(std::string_view name);
const Function* find_text_function(std::string_view name);
const Function* find_human_function(std::string_view name);
const Function* find_series_function(std::string_view name);

/// Seconds as nanoseconds, cut as Go does. unprocessable for what is no number and what is too large.
Result<std::int64_t> nanoseconds_of(double seconds, std::string_view what);

/// As Go's url.QueryEscape.
std::string query_escape(std::string_view text);

}  // namespace atalaya::templates
