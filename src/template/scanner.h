// Characters of a template, as text outside and words inside of {{ }}.
#pragma once

#include <boost/json.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace atalaya::templates {

/// Thread-compatible; `source` outlives it.
class Scanner {
 public:
  explicit Scanner(std::string_view source) : source_(source) {}

  std::size_t offset() const { return at_; }
  void rewind(std::size_t offset) { at_ = offset; }
  bool at_end() const { return at_ >= source_.size(); }

  /// The text up to the next `{{` or the end, trimmed where markers say so.
  std::string text();
  enum class Opened { kAction, kComment, kBadComment };
  /// At `{{`: enters it, or passes a whole comment.
  Opened open();
  /// At `}}` or ` -}}`: leaves the action.
  bool close();
  bool at_close() const;

  void space();
  char peek() const { return at_end() ? '\0' : source_[at_]; }
  bool at(std::string_view word) const { return source_.substr(at_).starts_with(word); }
  bool take(std::string_view word);
  bool take(char c) { return take(std::string_view(&c, 1)); }
  /// The whole word, after white space, as the first of an action.
  bool keyword(std::string_view word);
  bool digit_after() const;
  /// White space, a bracket, pipe, comma, assignment or the end must follow an operand.
  bool at_boundary() const;

  std::string name();      ///< letters, digits, `_`; "" if none
  std::string variable();  ///< at `$`: the name behind it, may be ""
  /// Quoted or raw; nullopt if none begins here. `fault` says what is wrong with it.
  std::optional<std::string> string(std::string& fault);
  /// As Go writes them: integers, also of base 2, 8 and 16, floats, `_` between digits, 'c'; an imaginary number is the
  /// text that it prints.
  std::optional<boost::json::value> number();

 private:
  std::optional<std::string> quoted(std::string& fault);
  bool escape(std::string& out);
  std::optional<boost::json::value> character();

  std::string_view source_;
  std::size_t at_ = 0;
  bool trim_next_ = false;  ///< the action before ended with -}}
};

}  // namespace atalaya::templates
