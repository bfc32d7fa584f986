#include "model/matcher.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "base/check.h"
#include "model/names.h"

namespace atalaya {
namespace {

/// As Go's regexp/syntax calls it, whose grammar this is.
std::string_view words_of(const re2::RE2& regex) {
  switch (regex.error_code()) {
    case re2::RE2::ErrorBadEscape: return "invalid escape sequence";
    case re2::RE2::ErrorBadCharClass: return "invalid character class";
    case re2::RE2::ErrorBadCharRange: return "invalid character class range";
    case re2::RE2::ErrorMissingBracket: return "missing closing ]";
    case re2::RE2::ErrorMissingParen: return "missing closing )";
    case re2::RE2::ErrorUnexpectedParen: return "unexpected )";
    case re2::RE2::ErrorTrailingBackslash: return "trailing backslash at end of expression";
    case re2::RE2::ErrorRepeatArgument: return "missing argument to repetition operator";
    case re2::RE2::ErrorRepeatSize: return "invalid repeat count";
    case re2::RE2::ErrorRepeatOp: return "invalid nested repetition operator";
    case re2::RE2::ErrorBadPerlOp: return "invalid or unsupported Perl syntax";
    case re2::RE2::ErrorBadUTF8: return "invalid UTF-8";
    case re2::RE2::ErrorBadNamedCapture: return "invalid named capture";
    case re2::RE2::ErrorPatternTooLarge: return "expression too large";
    default: return "internal error";
  }
}

/// Enough for what is written out, as thousands of hosts are; little for what a few characters blow up.
std::int64_t memory_for(std::string_view regex) {
  return static_cast<std::int64_t>(std::clamp<std::size_t>(64 * regex.size(), 1 << 20, 16 << 20));
}

}  // namespace

Result<Matcher> Matcher::make(std::string name, Op op, std::string value) {
  Matcher matcher(std::move(name), op, std::move(value));
  if (op == Op::kRegex || op == Op::kNotRegex) {
    re2::RE2::Options options(re2::RE2::Quiet);
    options.set_dot_nl(true);
    options.set_max_mem(memory_for(matcher.value_));
    matcher.regex_ = std::make_shared<const re2::RE2>(matcher.value_, options);
    if (!matcher.regex_->ok()) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("error parsing regexp: {}: `{}`", words_of(*matcher.regex_),
                                                           matcher.regex_->error_arg()));
    }
  }
  return matcher;
}

Matcher Matcher::equal(std::string name, std::string value) {
  return Matcher(std::move(name), Op::kEqual, std::move(value));
}

bool Matcher::matches(std::string_view value) const {
  switch (op_) {
    case Op::kEqual: return value == value_;
    case Op::kNotEqual: return value != value_;
    case Op::kRegex: return re2::RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *regex_);
    case Op::kNotRegex: return !re2::RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *regex_);
  }
  AT_CHECK(false);
}

bool matches(const Matchers& matchers, const Labels& labels) {
  return std::all_of(matchers.begin(), matchers.end(),
                     [&](const Matcher& matcher) { return matcher.matches(labels.get(matcher.name())); });
}

std::string to_string(const Matchers& matchers) {
  constexpr std::string_view kOps[] = {"=", "!=", "=~", "!~"};
  std::string out = "{";
  for (const auto& matcher : matchers) {
    if (out.size() > 1) out += ',';
    out += is_label_name(matcher.name()) ? matcher.name() : quote_label_value(matcher.name());
    out += kOps[static_cast<int>(matcher.op())];
    out += quote_label_value(matcher.value());
  }
  return out + "}";
}

}  // namespace atalaya
