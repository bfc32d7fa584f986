// The language of Alerta's parameter `q`.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "api/alerta_query.h"
#include "model/matcher.h"

namespace atalaya::api::alerta {
namespace {

using alerts::SeenReport;

constexpr std::size_t kMaxSearch = 8192;  ///< bytes
constexpr int kMaxDepth = 32;

std::string lower(std::string text) {
  for (auto& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

bool any_value(const SeenReport& seen, const std::string& field, const std::function<bool(const std::string&)>& test) {
  std::vector<std::string> found;
  values_of(seen, field, found);
  return std::ranges::any_of(found, test);
}

/// Numbers as numbers, everything else (times, too) by its characters.
int compare(const std::string& a, const std::string& b) {
  const auto number = [](const std::string& text, double& out) {
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
    return failed == std::errc{} && end == text.data() + text.size();
  };
  double x = 0;
  double y = 0;
  if (number(a, x) && number(b, y)) return x < y ? -1 : x > y ? 1 : 0;
  return a.compare(b);
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Test> parse() {
    AT_TRY(auto out, any("text", 0));
    skip();
    if (at_ < text_.size()) return wrong(fmt::format("'{}' was not expected", text_[at_]));
    return out;
  }

 private:
  std::unexpected<Error> wrong(std::string what) const {
    return fail(ErrorCode::kInvalidArgument, fmt::format("character {}: {}", at_ + 1, what));
  }
  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) ++at_;
  }
  bool at_end() {
    skip();
    return at_ >= text_.size() || text_[at_] == ')';
  }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  /// A word of the language, or its sign.
  bool take_word(std::string_view word, std::string_view sign) {
    skip();
    const auto left = text_.substr(at_);
    if (!sign.empty() && left.starts_with(sign)) {
      at_ += sign.size();
      return true;
    }
    if (!left.starts_with(word) || left.size() == word.size()) return false;
    const char next = left[word.size()];
    if (next != ' ' && next != '(') return false;
    at_ += word.size();
    return true;
  }

  Result<Test> any(const std::string& field, int depth) {
    if (depth > kMaxDepth) return wrong("too many parentheses");
    std::vector<Test> tests;
    AT_TRY(auto first, all(field, depth));
    tests.push_back(std::move(first));
    while (!at_end()) {
      take_word("OR", "||");
      AT_TRY(auto next, all(field, depth));
      tests.push_back(std::move(next));
    }
    if (tests.size() == 1) return std::move(tests.front());
    // What must be there is joined to the rest by `and`.
    return Test([tests = std::move(tests)](const SeenReport& seen) {
      return std::ranges::any_of(tests, [&](const Test& test) { return test(seen); });
    });
  }

  Result<Test> all(const std::string& field, int depth) {
    AT_TRY(auto left, one(field, depth));
    // `a NOT b` is `a AND NOT b`.
    while (take_word("AND", "&&") || refuses()) {
      AT_TRY(auto right, one(field, depth));
      left = [a = std::move(left), b = std::move(right)](const SeenReport& seen) { return a(seen) && b(seen); };
    }
    return left;
  }

  /// What follows is something that must not be.
  bool refuses() {
    const auto begin = at_;
    const bool out = take_word("NOT", "!") || take('-');
    at_ = begin;
    return out;
  }

  Result<Test> one(const std::string& field, int depth) {
    if (depth > kMaxDepth) return wrong("too many parentheses");
    skip();
    if (take_word("NOT", "!") || take('-')) {
      AT_TRY(auto test, one(field, depth + 1));
      return Test([test = std::move(test)](const SeenReport& seen) { return !test(seen); });
    }
    take('+');
    skip();
    if (take('(')) {
      AT_TRY(auto inner, any(field, depth + 1));
      skip();
      if (!take(')')) return wrong("a ')' is missing");
      return inner;
    }
    if (const auto named = field_name(); !named.empty()) {
      if (named == "_exists_") return exists();
      const SeenReport none;
      std::vector<std::string> unused;
      if (!values_of(none, named, unused)) return wrong(fmt::format("there is no field {}", named));
      skip();
      if (at_ < text_.size() && text_[at_] == '(') return one(named, depth + 1);
      return value(named);
    }
    return value(field);
  }

  /// The name before a colon, taken with it; "" where there is none.
  std::string field_name() {
    auto end = at_;
    const auto part = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
             c == '-';
    };
    while (end < text_.size() && part(text_[end])) ++end;
    if (end == at_ || end >= text_.size() || text_[end] != ':') return {};
    const std::string out(text_.substr(at_, end - at_));
    at_ = end + 1;
    return out;
  }

  Result<Test> exists() {
    auto field = word();
    const SeenReport none;
    std::vector<std::string> unused;
    if (!values_of(none, field, unused)) field = "attributes." + field;
    return Test([field = std::move(field)](const SeenReport& seen) {
      return any_value(seen, field, [](const std::string& text) { return !text.empty(); });
    });
  }

  std::string word() {
    skip();
    std::string out;
    while (at_ < text_.size() && text_[at_] != ' ' && text_[at_] != ')' && text_[at_] != '(' && text_[at_] != ']' &&
           text_[at_] != '}') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      out += text_[at_++];
    }
    return out;
  }

  Result<std::string> until(char end) {
    std::string out;
    while (at_ < text_.size() && text_[at_] != end) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] == end) ++at_;
      out += text_[at_++];
    }
    if (!take(end)) return wrong(fmt::format("a '{}' is missing", end));
    return out;
  }

  Result<Test> value(const std::string& field) {
    skip();
    if (take('"')) {
      AT_TRY(const auto phrase, until('"'));
      return is_list(field) ? whole(field, phrase)
                            : pattern(field, fmt::format("(?:.*\\W)?{}(?:\\W.*)?", pattern_of(phrase)));
    }
    if (take('/')) {
      AT_TRY(const auto regex, until('/'));
      return pattern(field, fmt::format(".*(?:{}).*", regex));
    }
    if (at_ < text_.size() && (text_[at_] == '[' || text_[at_] == '{')) return range(field);
    for (const std::string_view op : {">=", "<=", ">", "<"}) {
      if (!text_.substr(at_).starts_with(op)) continue;
      at_ += op.size();
      return compared(field, op, word());
    }
    const auto wanted = word();
    if (wanted.empty()) return wrong("a word is missing");
    if (wanted.find_first_of("*?") != std::string::npos) return wildcard(field, wanted);
    if (is_list(field) || is_time(field)) return whole(field, wanted);
    return Test([field, wanted = lower(wanted)](const SeenReport& seen) {
      return any_value(seen, field,
                       [&](const std::string& text) { return lower(text).find(wanted) != std::string::npos; });
    });
  }

  static Result<Test> whole(const std::string& field, const std::string& wanted) {
    return Test([field, wanted = lower(wanted)](const SeenReport& seen) {
      return any_value(seen, field, [&](const std::string& text) { return lower(text) == wanted; });
    });
  }

  Result<Test> pattern(const std::string& field, const std::string& expression) const {
    auto matcher = Matcher::make(field, Matcher::Op::kRegex, "(?is)" + expression);
    if (!matcher) return wrong(matcher.error().message);
    return Test([field, matcher = std::move(*matcher)](const SeenReport& seen) {
      return any_value(seen, field, [&](const std::string& text) { return matcher.matches(text); });
    });
  }

  Result<Test> wildcard(const std::string& field, const std::string& wanted) const {
    std::string expression;
    for (const char c : wanted) {
      if (c == '*') {
        expression += ".*";
      } else if (c == '?') {
        expression += '.';
      } else {
        expression += pattern_of(std::string_view(&c, 1));
      }
    }
    return pattern(field, is_list(field) ? expression : fmt::format("(?:.*\\W)?{}(?:\\W.*)?", expression));
  }

  static Result<Test> compared(const std::string& field, std::string_view op, const std::string& with) {
    return Test([field, op = std::string(op), with](const SeenReport& seen) {
      return any_value(seen, field, [&](const std::string& text) {
        const auto sign = compare(text, with);
        return op == ">=" ? sign >= 0 : op == "<=" ? sign <= 0 : op == ">" ? sign > 0 : sign < 0;
      });
    });
  }

  Result<Test> range(const std::string& field) {
    const bool from_too = text_[at_++] == '[';
    const auto from = word();
    if (!take_word("TO", "")) return wrong("TO is missing");
    const auto to = word();
    skip();
    const bool to_too = take(']');
    if (!to_too && !take('}')) return wrong("the range has no end");
    return Test([=](const SeenReport& seen) {
      return any_value(seen, field, [&](const std::string& text) {
        const bool above = from == "*" || (from_too ? compare(text, from) >= 0 : compare(text, from) > 0);
        return above && (to == "*" || (to_too ? compare(text, to) <= 0 : compare(text, to) < 0));
      });
    });
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::string pattern_of(std::string_view text) {
  constexpr std::string_view kSpecial = "\\.+*?()|[]{}^$";
  std::string out;
  for (const char c : text) {
    if (kSpecial.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

Result<Test> parse_search(std::string_view text) {
  if (text.size() > kMaxSearch) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("more than {} bytes", kMaxSearch));
  }
  return Parser(text).parse();
}

}  // namespace atalaya::api::alerta
