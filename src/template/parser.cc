#include "template/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "template/functions.h"
#include "template/scanner.h"

namespace atalaya::templates {
namespace {

constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxSource = 256 * 1024;

/// Recursive descent over the tokens of a scanner. `variables_` is the scope of declared names, as
/// in Go: a block's variables end with it. What is wrong with one action is noted, and reading goes on behind
/// it; what fails as a whole (nesting, a comment without end) ends the reading.
class Parser {
 public:
  Parser(Tree& tree, const CheckCall& check_call, bool as_go, std::vector<Error>& errors)
      : tree_(tree),
        check_call_(check_call),
        as_go_(as_go),
        scan_(tree.source),
        variables_(tree.outside),
        errors_(errors) {}

  void run() {
    for (;;) {
      const auto end = nodes(tree_.main, 0);
      if (!end) return errors_.push_back(end.error());
      if (end->kind == End::kEof) break;
      refuse(end->offset, fmt::format("unexpected {{{{{}}}}}", end->word));
      if (end->kind == End::kElse) resume();
    }
    if (as_go_) return;
    for (const auto& [name, offset] : called_) {
      if (!tree_.defined.contains(name)) refuse(offset, fmt::format("template \"{}\" is not defined", name));
    }
  }

 private:
  struct End {
    enum Kind { kEof, kEnd, kElse } kind = kEof;
    std::string word;
    std::size_t offset = 0;
  };

  std::unexpected<Error> error(std::size_t offset, std::string message, std::string remedy = {}) const {
    return fail(ErrorCode::kInvalidArgument, tree_.place(offset), "template: " + std::move(message), std::move(remedy));
  }
  /// Operators of other languages are functions here.
  std::unexpected<Error> unexpected_in_action(std::size_t offset) const {
    const auto c = scan_.peek();
    const bool compares = c == '<' || c == '>' || c == '=' || c == '!' || c == '&';
    return error(offset, fmt::format("unexpected '{}' in an action", c),
                 compares ? "comparisons are functions: lt, le, gt, ge, eq, ne, and, or, not, e.g. {{ if gt .a 5 }}"
                          : "an action is a value or a function with its arguments, e.g. {{ .name | toUpper }}");
  }
  void refuse(std::size_t offset, std::string message) { errors_.push_back(error(offset, std::move(message)).error()); }

  /// What an action asks for; false when it was wrong, which is noted, and the action is behind us.
  template <typename F>
  bool attempt(F&& read) {
    const Status done = read();
    if (done) return true;
    errors_.push_back(done.error());
    resume();
    return false;
  }

  /// Behind the action that we are in; one that is not closed ends where the next begins.
  void resume() {
    const std::string_view source = tree_.source;
    const auto from = std::min(scan_.offset(), source.size());
    const auto close = source.find("}}", from);
    const auto next = source.find("{{", from);
    scan_.rewind(std::min({close == std::string_view::npos ? source.size() : close + 2, next, source.size()}));
  }

  /// Until {{end}}, {{else or the end of the text; what stopped it is consumed up to its keyword.
  Result<End> nodes(Nodes& out, int depth) {
    if (depth > kMaxDepth) return error(scan_.offset(), "blocks are nested too deeply");
    for (;;) {
      const auto start = scan_.offset();
      auto text = scan_.text();
      if (!text.empty()) {
        // A text that is trimmed in front begins behind its white space.
        const auto from = tree_.source.find(text, start);
        out.push_back({.kind = Node::Kind::kText, .text = std::move(text), .offset = from});
      }
      if (scan_.at_end()) return End{};
      const auto offset = scan_.offset();
      AT_TRY(const bool comment, open());
      if (comment) continue;
      if (scan_.keyword("end")) {
        attempt([&] { return close(); });
        return End{End::kEnd, "end", offset};
      }
      if (scan_.keyword("else")) return End{End::kElse, "else", offset};
      AT_TRY(node(out, offset, depth));
    }
  }

  Result<bool> open() {
    const auto offset = scan_.offset();
    const auto opened = scan_.open();
    if (opened == Scanner::Opened::kBadComment)
      return error(offset, "a comment is not closed by */}}", "write */}} where it ends");
    return opened == Scanner::Opened::kComment;
  }

  Status close() {
    scan_.space();
    if (!scan_.close()) {
      if (scan_.at_end()) return error(scan_.offset(), "an action is not closed by }}", "write }} where it ends");
      return unexpected_in_action(scan_.offset());
    }
    return {};
  }

  Status node(Nodes& out, std::size_t offset, int depth) {
    if (scan_.keyword("if")) return block(out, Node::Kind::kIf, offset, depth);
    if (scan_.keyword("with")) return block(out, Node::Kind::kWith, offset, depth);
    if (scan_.keyword("range")) return block(out, Node::Kind::kRange, offset, depth);
    if (scan_.keyword("define")) return define(offset, depth);
    if (scan_.keyword("template")) return call(out, offset, depth);
    if (scan_.keyword("block")) return named_block(out, offset, depth);
    for (const auto& [word, kind] : {std::pair{"break", Node::Kind::kBreak}, {"continue", Node::Kind::kContinue}}) {
      if (!scan_.keyword(word)) continue;
      if (ranges_ == 0) refuse(offset, fmt::format("{} outside of range", word));
      out.push_back({.kind = kind, .offset = offset});
      attempt([&] { return close(); });
      return {};
    }
    Node action{.kind = Node::Kind::kAction, .offset = offset};
    head(action, false, depth);
    out.push_back(std::move(action));
    return {};
  }

  /// The pipeline of an action, and its end.
  void head(Node& node, bool range, int depth) {
    attempt([&]() -> Status {
      AT_TRY(node.pipeline, pipeline(range, depth));
      return close();
    });
  }

  Status block(Nodes& out, Node::Kind kind, std::size_t offset, int depth) {
    if (depth > kMaxDepth) return error(offset, "blocks are nested too deeply");
    const auto scope = variables_.size();
    Node node{.kind = kind, .offset = offset};
    head(node, kind == Node::Kind::kRange, depth);
    const bool range = kind == Node::Kind::kRange;
    ranges_ += range ? 1 : 0;
    AT_TRY(auto end, nodes(node.body, depth + 1));
    ranges_ -= range ? 1 : 0;
    if (end.kind == End::kElse) {
      if ((kind == Node::Kind::kIf && scan_.keyword("if")) || (kind == Node::Kind::kWith && scan_.keyword("with"))) {
        // {{else if}} is a block within the else; both end at the same {{end}}.
        AT_TRY(block(node.otherwise, kind, end.offset, depth + 1));
        variables_.resize(scope);
        out.push_back(std::move(node));
        return {};
      }
      attempt([&] { return close(); });
      AT_TRY(end, nodes(node.otherwise, depth + 1));
      while (end.kind == End::kElse) {
        refuse(end.offset, "a second {{else}}");
        resume();
        AT_TRY(end, nodes(node.otherwise, depth + 1));
      }
    }
    if (end.kind == End::kEof) refuse(offset, "a block is not closed by {{end}}");
    variables_.resize(scope);
    out.push_back(std::move(node));
    return {};
  }

  Result<std::string> quoted_name() {
    scan_.space();
    const auto offset = scan_.offset();
    AT_TRY(auto name, string());
    if (!name) return error(offset, "the name of a template must be a quoted string");
    return std::move(*name);
  }

  Status body_of(const std::string& name, std::size_t offset, int depth) {
    // A definition sees the outside variables only.
    auto outer = std::exchange(variables_, tree_.outside);
    const auto ranges = std::exchange(ranges_, 0);
    Nodes body;
    AT_TRY(auto end, nodes(body, depth + 1));
    while (end.kind == End::kElse) {
      refuse(end.offset, "unexpected {{else}}");
      resume();
      AT_TRY(end, nodes(body, depth + 1));
    }
    if (end.kind == End::kEof) refuse(offset, fmt::format("template \"{}\" is not closed by {{{{end}}}}", name));
    tree_.defined[name] = std::move(body);
    variables_ = std::move(outer);
    ranges_ = ranges;
    return {};
  }

  Status define(std::size_t offset, int depth) {
    if (depth > 0) refuse(offset, "define within a block");
    std::string name;
    attempt([&]() -> Status {
      AT_TRY(name, quoted_name());
      return close();
    });
    return body_of(name, offset, depth);
  }

  Status call(Nodes& out, std::size_t offset, int depth) {
    Node node{.kind = Node::Kind::kTemplate, .offset = offset};
    const bool good = attempt([&]() -> Status {
      AT_TRY(node.text, quoted_name());
      scan_.space();
      if (scan_.at_close()) return close();
      AT_TRY(node.pipeline, pipeline(false, depth));
      return close();
    });
    if (good) called_.emplace_back(node.text, offset);
    out.push_back(std::move(node));
    return {};
  }

  Status named_block(Nodes& out, std::size_t offset, int depth) {
    Node node{.kind = Node::Kind::kTemplate, .offset = offset};
    attempt([&]() -> Status {
      AT_TRY(node.text, quoted_name());
      AT_TRY(node.pipeline, pipeline(false, depth));
      return close();
    });
    AT_TRY(body_of(node.text, offset, depth));
    out.push_back(std::move(node));
    return {};
  }

  Result<std::unique_ptr<Pipeline>> pipeline(bool range, int depth) {
    if (depth > kMaxDepth) return error(scan_.offset(), "expressions are nested too deeply");
    auto out = std::make_unique<Pipeline>();
    scan_.space();
    out->offset = scan_.offset();
    AT_TRY(declaration(*out, range));
    auto done = commands(*out, depth);
    // Also of a value that is wrong: its name is not.
    if (!out->assigns) variables_.insert(variables_.end(), out->variables.begin(), out->variables.end());
    if (!done) return std::unexpected(std::move(done).error());
    return out;
  }

  Status commands(Pipeline& out, int depth) {
    do {
      Command command;
      for (;;) {
        scan_.space();
        if (scan_.at_close() || scan_.peek() == '|' || scan_.peek() == ')' || scan_.at_end()) break;
        AT_TRY(auto one, operand(depth));
        command.operands.push_back(std::move(one));
      }
      if (command.operands.empty()) return error(scan_.offset(), "an expression is missing");
      AT_TRY(check(command, out.commands.empty()));
      out.commands.push_back(std::move(command));
    } while (scan_.take('|'));
    return {};
  }

  Status check(const Command& command, bool first) const {
    const auto& head = command.operands.front();
    const bool callable = head.kind == Operand::Kind::kFunction || !head.fields.empty();
    const bool fixed = head.kind == Operand::Kind::kConstant || head.kind == Operand::Kind::kDot;
    if (as_go_ && (first || !fixed)) return {};
    if (!callable && (command.operands.size() > 1 || !first)) {
      return error(head.offset, "only a function can be given arguments");
    }
    if (head.kind == Operand::Kind::kFunction && head.fields.empty()) {
      const auto given = static_cast<int>(command.operands.size()) - 1 + (first ? 0 : 1);
      const auto& f = *head.function;
      if (given < f.min_arguments || (f.max_arguments >= 0 && given > f.max_arguments)) {
        return error(head.offset,
                     fmt::format("{} takes {} to {} arguments, here are {}", f.name, f.min_arguments,
                                 f.max_arguments < 0 ? "any number of" : fmt::to_string(f.max_arguments), given));
      }
      return check_constants(command);
    }
    return {};
  }

  /// What the one who renders knows to be wrong with arguments before it is called with them.
  Status check_constants(const Command& command) const {
    const auto& head = command.operands.front();
    if (!check_call_ || !head.function->given) return {};
    std::vector<const boost::json::value*> arguments;
    for (std::size_t i = 1; i < command.operands.size(); ++i) {
      const auto& one = command.operands[i];
      const bool constant = one.kind == Operand::Kind::kConstant && one.fields.empty();
      arguments.push_back(constant ? &one.constant : nullptr);
    }
    auto wrong = check_call_(head.name, arguments);
    if (!wrong) return {};
    const auto& operand = command.operands[wrong->argument + 1];
    auto& found = wrong->error;
    return error(operand.offset + (found.place ? within(operand, *found.place) : 0), head.name + ": " + found.message,
                 std::move(found.remedy));
  }

  /// From the operand's beginning to a place of its text; 0 where that is written with escapes.
  std::size_t within(const Operand& operand, const Place& place) const {
    const auto* text = operand.constant.if_string();
    if (text == nullptr || tree_.source.compare(operand.offset + 1, text->size(), text->c_str()) != 0) return 0;
    std::size_t line_start = 0;
    for (std::uint32_t line = 1; line < place.line; ++line) line_start = text->find('\n', line_start) + 1;
    return std::min(line_start + place.column, text->size());
  }

  /// `$x :=`, `$x =`, and in range `$i, $x :=`.
  Status declaration(Pipeline& out, bool range) {
    const auto start = scan_.offset();
    if (scan_.peek() != '$') return {};
    auto first = scan_.variable();
    scan_.space();
    std::vector<std::string> names{first};
    if (range && scan_.take(',')) {
      scan_.space();
      if (scan_.peek() != '$') return error(scan_.offset(), "a variable is missing after ','");
      names.push_back(scan_.variable());
      scan_.space();
    }
    if (scan_.take(":=")) {
      out.variables = std::move(names);
    } else if (!scan_.at("==") && scan_.take('=')) {
      for (const auto& name : names) {
        if (!known(name)) return error(start, fmt::format("undefined variable ${}", name));
      }
      out.variables = std::move(names);
      out.assigns = true;
    } else {
      scan_.rewind(start);
    }
    return {};
  }

  bool known(const std::string& name) const {
    return name.empty() || std::ranges::find(variables_, name) != variables_.end();
  }

  Result<Operand> operand(int depth) {
    Operand out;
    out.offset = scan_.offset();
    const char c = scan_.peek();
    if (c == '.' && !scan_.digit_after()) {
      scan_.take('.');
      if (auto name = scan_.name(); !name.empty()) out.fields.push_back(std::move(name));
    } else if (c == '$') {
      out.kind = Operand::Kind::kVariable;
      out.name = scan_.variable();
      if (!known(out.name)) return error(out.offset, fmt::format("undefined variable ${}", out.name));
    } else if (scan_.take('(')) {
      out.kind = Operand::Kind::kPipeline;
      AT_TRY(out.pipeline, pipeline(false, depth + 1));
      scan_.space();
      if (!scan_.take(')')) return error(out.offset, "a parenthesis is not closed", "write ) where it ends");
    } else {
      AT_TRY(atom(out));
    }
    while (scan_.peek() == '.') {
      scan_.take('.');
      auto name = scan_.name();
      if (name.empty()) return error(scan_.offset(), "a field's name is missing after '.'");
      out.fields.push_back(std::move(name));
    }
    if (!scan_.at_boundary()) return error(scan_.offset(), fmt::format("unexpected '{}'", scan_.peek()));
    return out;
  }

  /// A string, character, number, keyword or function.
  Status atom(Operand& out) {
    out.kind = Operand::Kind::kConstant;
    AT_TRY(auto text, string());
    if (text) {
      out.constant = boost::json::string(*text);
      return {};
    }
    if (auto number = scan_.number()) {
      out.constant = std::move(*number);
      return {};
    }
    const auto name = scan_.name();
    if (name.empty()) return unexpected_in_action(out.offset);
    if (name == "true" || name == "false") {
      out.constant = name == "true";
      return {};
    }
    if (name == "nil") return {};
    out.kind = Operand::Kind::kFunction;
    out.name = name;
    out.function = find_given(name);
    if (out.function == nullptr) out.function = find_function(name);
    if (out.function == nullptr) {
      return error(
          out.offset, fmt::format("function \"{}\" not defined", name),
          "functions are those of Go's and Prometheus' templates, e.g. printf, humanize; data begins with a dot, "
          "a variable with $");
    }
    return {};
  }

  const Function* find_given(std::string_view name) const {
    for (const auto& function : tree_.given) {
      if (function->name == name) return function.get();
    }
    return nullptr;
  }

  Result<std::optional<std::string>> string() {
    const auto offset = scan_.offset();
    std::string fault;
    auto text = scan_.string(fault);
    if (!fault.empty()) return error(offset, fault);
    return text;
  }

  Tree& tree_;
  const CheckCall& check_call_;
  const bool as_go_;
  Scanner scan_;
  std::vector<std::string> variables_;
  int ranges_ = 0;
  std::vector<Error>& errors_;
  std::vector<std::pair<std::string, std::size_t>> called_;
};

}  // namespace

Place Tree::place(std::size_t offset) const {
  const auto before = std::string_view(source).substr(0, offset);
  const auto line_start = before.rfind('\n');
  return {file, static_cast<std::uint32_t>(std::ranges::count(before, '\n') + 1),
          static_cast<std::uint32_t>(before.size() - (line_start == std::string_view::npos ? 0 : line_start + 1) + 1)};
}

Result<Tree> parse_tree(std::string_view text, const ParseOptions& options) {
  std::vector<Error> errors;
  auto tree = parse_tree(text, options, errors);
  if (!errors.empty()) return std::unexpected(std::move(errors.front()));
  return tree;
}

Tree parse_tree(std::string_view text, const ParseOptions& options, std::vector<Error>& errors,
                const CheckCall& check) {
  Tree tree;
  tree.file = options.file;
  if (text.size() > kMaxSource) {
    errors.push_back({ErrorCode::kInvalidArgument, fmt::format("template: longer than {} bytes", kMaxSource),
                      tree.place(0), "split it by define and template, or take a part out of it"});
    return tree;
  }
  tree.source = std::string(text);
  tree.outside = options.variables;
  for (const auto& [name, least, most] : options.functions) {
    tree.given_names.push_back(std::make_unique<std::string>(name));
    tree.given.push_back(std::make_shared<Function>(Function{*tree.given_names.back(), least, most, nullptr, true}));
  }
  Parser(tree, check, options.as_go, errors).run();
  return tree;
}

}  // namespace atalaya::templates
