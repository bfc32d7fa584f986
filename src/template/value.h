// JSON values as Go's templates see them: truth, printing, comparison.
#pragma once

#include <boost/json.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace atalaya::templates {

struct Moment;  ///< `times.h`

/// A value within the data (which outlives it) or one made on the way. Cheap to copy. Immutable.
class Value {
 public:
  Value() : Value(boost::json::value(nullptr)) {}
  Value(boost::json::value made)  // NOLINT: wanted implicit
      : owner_(std::make_shared<const boost::json::value>(std::move(made))), value_(owner_.get()) {}
  static Value within(const boost::json::value& data) { return Value(nullptr, &data); }
  /// HTML that functions of ours made and escaped: the only text that an HTML template prints as it is.
  static Value markup(std::string html) {
    Value made{boost::json::value(boost::json::string(html))};
    made.markup_ = true;
    return made;
  }
  bool is_markup() const { return markup_; }
  /// A time or a duration; `text` is what it prints.
  static Value of_moment(std::string text, const Moment& moment);
  /// Null where it is none.
  const Moment* moment() const { return moment_.get(); }
  /// A part of this value that keeps the whole alive.
  Value part(const boost::json::value& inner) const { return Value(owner_, &inner); }

  const boost::json::value& operator*() const { return *value_; }
  const boost::json::value* operator->() const { return value_; }

 private:
  Value(std::shared_ptr<const boost::json::value> owner, const boost::json::value* value)
      : owner_(std::move(owner)), value_(value) {}
  std::shared_ptr<const boost::json::value> owner_;
  const boost::json::value* value_;
  std::shared_ptr<const Moment> moment_;
  bool markup_ = false;
};

using Arguments = std::vector<Value>;

bool is_true(const boost::json::value& value);
/// As Go's %v; null is "".
std::string print(const boost::json::value& value);
/// As Go's strconv.FormatFloat with format 'g' and the shortest precision.
std::string print_number(double value);
/// `%.<digits>g` of Go.
std::string print_significant(double value, int digits);
std::optional<double> to_number(const boost::json::value& value);
/// As to_number, but also from a string that holds a number.
Result<double> convert_to_number(const boost::json::value& value);
/// Go's name of the type: string, float64, int, bool, map, slice, nil.
std::string_view type_name(const boost::json::value& value);
Result<bool> equals(const boost::json::value& a, const boost::json::value& b);
Result<bool> less(const boost::json::value& a, const boost::json::value& b);

/// `.name` of a value; the rules are in template.h.
Result<Value> field(const Value& value, const std::string& name, const Arguments& arguments);

/// Go's fmt.Sprintf. Width and precision are at most 4096.
Result<std::string> go_printf(const Arguments& arguments);

}  // namespace atalaya::templates
