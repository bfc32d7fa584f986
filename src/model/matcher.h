// Label matchers: `=`, `!=`, `=~`, `!~`.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/labels.h"

namespace re2 {
class RE2;
}

namespace atalaya {

/// Tests one label's value; an absent label has the value "". Regular expressions are RE2 and
/// anchored at both ends. Immutable, cheap to copy.
class Matcher {
 public:
  enum class Op { kEqual, kNotEqual, kRegex, kNotRegex };

  /// invalid_argument with RE2's words when the expression does not compile.
  static Result<Matcher> make(std::string name, Op op, std::string value);
  static Matcher equal(std::string name, std::string value);

  const std::string& name() const { return name_; }
  Op op() const { return op_; }
  const std::string& value() const { return value_; }
  bool matches(std::string_view value) const;

 private:
  Matcher(std::string name, Op op, std::string value) : name_(std::move(name)), op_(op), value_(std::move(value)) {}
  std::string name_;
  Op op_;
  std::string value_;
  std::shared_ptr<const re2::RE2> regex_;
};

using Matchers = std::vector<Matcher>;

bool matches(const Matchers& matchers, const Labels& labels);
/// `{a="b",c!~"d"}`.
std::string to_string(const Matchers& matchers);

}  // namespace atalaya
