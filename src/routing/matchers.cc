#include "routing/matchers.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "model/names.h"
#include "routing/matcher_lexer.h"

namespace atalaya::routing {
namespace {

using Kind = MatcherToken::Kind;

/// A text of 10 MB is shown by its beginning.
constexpr std::size_t kShown = 200;

std::unexpected<Error> bad(std::string message, std::string remedy = {}) {
  return fail(ErrorCode::kInvalidArgument, std::move(message), std::move(remedy));
}
std::unexpected<Error> expected(const Error& error, std::string_view what) {
  return bad(fmt::format("{}: {}", error.message, what));
}

/// `{a="b",c!~d}` by tokens.
class Utf8Parser {
 public:
  explicit Utf8Parser(std::string_view text) : lexer_(text) {}

  Result<Matchers> parse() {
    AT_TRY(auto token, lexer_.peek());
    if (token.kind == Kind::kEnd) return Matchers{};
    const bool open = token.kind == Kind::kOpenBrace;
    if (open) {
      AT_TRY(lexer_.take());
      AT_TRY(token, lexer_.peek());
    }
    if (token.kind != Kind::kCloseBrace && token.kind != Kind::kEnd) AT_TRY(parse_list());
    AT_TRY(parse_close(open));
    auto end = lexer_.take();
    if (!end) return expected(end.error(), "expected end of input");
    if (end->kind != Kind::kEnd) {
      return bad(fmt::format("{}:{}: {}: expected end of input", end->begin, end->end, end->text));
    }
    return std::move(matchers_);
  }

 private:
  Status parse_list() {
    while (true) {
      AT_TRY(parse_one());
      auto token = expect({Kind::kComma, Kind::kCloseBrace}, true);
      if (!token) return expected(token.error(), "expected a comma or close brace");
      if (token->kind != Kind::kComma) return {};
      AT_TRY(lexer_.take());
      token = expect({Kind::kCloseBrace, Kind::kUnquoted, Kind::kQuoted}, true);
      if (!token) return expected(token.error(), "expected a matcher or close brace after comma");
      if (token->kind == Kind::kCloseBrace || token->kind == Kind::kEnd) return {};
    }
  }

  Status parse_one() {
    AT_TRY(auto name, parse_text("expected label name"));
    const auto op = expect({Kind::kEqual, Kind::kNotEqual, Kind::kRegex, Kind::kNotRegex});
    if (!op) return expected(op.error(), "expected an operator such as '=', '!=', '=~' or '!~'");
    AT_TRY(lexer_.take());
    AT_TRY(auto value, parse_text("expected label value"));
    const auto kind = op->kind == Kind::kEqual      ? Matcher::Op::kEqual
                      : op->kind == Kind::kNotEqual ? Matcher::Op::kNotEqual
                      : op->kind == Kind::kRegex    ? Matcher::Op::kRegex
                                                    : Matcher::Op::kNotRegex;
    AT_TRY(auto matcher, Matcher::make(std::move(name), kind, std::move(value)));
    matchers_.push_back(std::move(matcher));
    return {};
  }

  Result<std::string> parse_text(std::string_view what) {
    const auto token = expect({Kind::kQuoted, Kind::kUnquoted});
    if (!token) return expected(token.error(), what);
    AT_TRY(lexer_.take());
    auto text = unquoted(*token);
    if (!text) return bad(fmt::format("{}:{}: {}: invalid input", token->begin, token->end, token->text));
    return std::move(*text);
  }

  Status parse_close(bool open) {
    const auto token = expect({Kind::kCloseBrace});
    if (token) AT_TRY(lexer_.take());
    if (open && !token) {
      return bad(fmt::format("0:{}: {}: expected close brace", lexer_.column(), token.error().message));
    }
    if (!open && token) return bad(fmt::format("0:{}: }}: expected opening brace", lexer_.column()));
    return {};
  }

  /// The next token, not taken, if it is one of these.
  Result<MatcherToken> expect(std::initializer_list<Kind> kinds, bool or_end = false) {
    AT_TRY(const auto token, lexer_.peek());
    if (token.kind == Kind::kEnd && !or_end) return bad("end of input");
    if (token.kind != Kind::kEnd && std::find(kinds.begin(), kinds.end(), token.kind) == kinds.end()) {
      return bad(fmt::format("{}:{}: unexpected {}", token.begin, token.end, token.text));
    }
    return token;
  }

  MatcherLexer lexer_;
  Matchers matchers_;
};

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r' && c != '\v'); }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

/// The value of a classic matcher: OpenMetrics' escapes, quotes around all of it or nowhere.
Result<std::string> classic_value(std::string_view raw) {
  const auto quotes = [&] {
    return bad(fmt::format("matcher value contains unescaped double quote: {}", raw.substr(0, kShown)));
  };
  auto left = raw;
  const bool quoted = left.starts_with('"');
  if (quoted) left.remove_prefix(1);
  bool closed = !quoted;
  std::string value;
  while (!left.empty()) {
    const char c = left[0];
    left.remove_prefix(1);
    if (c == '"') {
      if (!quoted || !left.empty()) return quotes();
      closed = true;
    } else if (c != '\\' || left.empty()) {
      value += c;
    } else {
      const char escape = left[0];
      left.remove_prefix(1);
      if (escape == 'n') {
        value += '\n';
      } else {
        if (escape != '"' && escape != '\\') value += '\\';
        value += escape;
      }
    }
  }
  if (!closed) return quotes();
  return value;
}

Result<Matcher> classic_matcher(std::string_view text) {
  const auto whole = text;
  const auto malformed = [&] {
    return bad(fmt::format("bad matcher format: {}", whole.substr(0, kShown)), "write it as severity=\"critical\"");
  };
  text = trimmed(text);
  std::size_t length = 0;
  while (length < text.size() && is_metric_name(text.substr(0, length + 1))) ++length;
  auto rest = trimmed(text.substr(length));
  if (length == 0 || rest.empty()) return malformed();
  using Op = Matcher::Op;
  const auto op = rest.starts_with("=~")   ? std::optional(Op::kRegex)
                  : rest.starts_with("!~") ? std::optional(Op::kNotRegex)
                  : rest.starts_with("!=") ? std::optional(Op::kNotEqual)
                  : rest.starts_with("=")  ? std::optional(Op::kEqual)
                                           : std::nullopt;
  if (!op) return malformed();
  rest = trimmed(rest.substr(*op == Op::kEqual ? 1 : 2));
  AT_TRY(auto value, classic_value(rest));
  return Matcher::make(std::string(text.substr(0, length)), *op, std::move(value));
}

Result<Matchers> classic_matchers(std::string_view text) {
  if (text.starts_with('{')) text.remove_prefix(1);
  if (text.ends_with('}')) text.remove_suffix(1);
  std::vector<std::string_view> tokens;
  bool inside = false;
  bool escaped = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ',' && !inside) {
      tokens.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    } else if (text[i] == '"' && !escaped) {
      inside = !inside;
    }
    escaped = text[i] == '\\' && !escaped;
  }
  if (const auto last = trimmed(text.substr(begin)); !last.empty()) tokens.push_back(last);
  Matchers out;
  for (const auto token : tokens) {
    AT_TRY(auto matcher, classic_matcher(token));
    out.push_back(std::move(matcher));
  }
  return out;
}

bool same(const Matchers& a, const Matchers& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Matcher& x, const Matcher& y) { return routing::same(x, y); });
}

}  // namespace

Result<Labels> labels_of(const Matchers& matchers) {
  LabelsBuilder out;
  for (const auto& matcher : matchers) {
    if (matcher.op() != Matcher::Op::kEqual) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("{} is no label", to_string(Matchers{matcher})),
                  "write labels as name=value");
    }
    out.set(matcher.name(), matcher.value());
  }
  return out.build();
}

Result<Labels> parse_labels(std::string_view text) {
  AT_TRY(const auto matchers, parse_matchers(text));
  return labels_of(matchers);
}

bool is_any_label_name(std::string_view name) { return !name.empty() && is_utf8(name); }

bool same(const Matcher& a, const Matcher& b) {
  return a.name() == b.name() && a.op() == b.op() && a.value() == b.value();
}

Result<Matchers> parse_matchers(std::string_view text, MatcherSyntax syntax) {
  if (!is_utf8(text)) return bad("the matchers are not UTF-8");
  if (syntax == MatcherSyntax::kClassic) return classic_matchers(text);
  auto modern = Utf8Parser(text).parse();
  if (syntax == MatcherSyntax::kUtf8) return modern;
  auto classic = classic_matchers(text);
  if (!modern) return classic ? std::move(classic) : std::move(modern);
  return classic && !same(*modern, *classic) ? std::move(classic) : std::move(modern);
}

Result<Matcher> parse_matcher(std::string_view text, MatcherSyntax syntax) {
  if (text.starts_with('{') || text.ends_with('}')) {
    return bad(fmt::format("unexpected open or close brace: {}", text.substr(0, kShown)), "leave the braces out");
  }
  AT_TRY(auto matchers, parse_matchers(text, syntax));
  if (matchers.empty()) return bad("no matchers", "write it as severity=\"critical\"");
  if (matchers.size() > 1) return bad(fmt::format("expected 1 matcher, found {}", matchers.size()));
  return std::move(matchers.front());
}

}  // namespace atalaya::routing
