#include "template/template.h"

#include <fmt/format.h>

#include <algorithm>

#include "template/ast.h"
#include "template/functions.h"
#include "template/html_escape.h"
#include "template/parser.h"
#include "template/run.h"
#include "template/value.h"

namespace atalaya::templates {

struct Template::Impl {
  Tree tree;
};

namespace {

constexpr int kMaxCalls = 50;
constexpr std::size_t kBytesPerStep = 64;

/// One execution: output, variables and what is left of the bounds. Thread-compatible.
class Run {
 public:
  Run(const Tree& tree, const RenderOptions& options) : tree_(tree), options_(options) {
    for (const auto& name : tree.outside) {
      const auto it = std::ranges::find(options.variables, name, &std::pair<std::string, boost::json::value>::first);
      const bool given = it != options.variables.end();
      variables_.emplace_back(name, given ? Value::within(it->second) : Value());
      if (given && name == "externalURL") context_.external_url = &it->second;
    }
    context_.now = options.now;
    context_.strict = options.strict;
    outside_ = variables_.size();
  }

  Result<std::string> run(const boost::json::value& data) {
    const auto root = Value::within(data);
    data_ = &data;
    variables_.emplace_back("", root);
    AT_TRY(nodes(tree_.main, root));
    return std::move(out_);
  }

 private:
  enum class Flow { kNext, kBreak, kContinue };

  std::unexpected<Error> error(std::size_t offset, Error cause) const {
    cause.place = tree_.place(offset);
    cause.message = "template: " + cause.message;
    return std::unexpected(std::move(cause));
  }
  std::unexpected<Error> error(std::size_t offset, std::string message) const {
    return error(offset, Error{ErrorCode::kUnprocessable, std::move(message), std::nullopt, {}});
  }

  Status spend(std::size_t offset, std::size_t bytes = 0) {
    steps_ += 1 + bytes / kBytesPerStep;
    if (steps_ <= options_.max_steps) return {};
    return error(offset, Error{ErrorCode::kTooLarge, fmt::format("more than {} steps", options_.max_steps), {}, {}});
  }

  Status write(std::size_t offset, std::string_view text) {
    if (out_.size() + text.size() > options_.max_output_bytes) {
      return error(offset, Error{ErrorCode::kTooLarge,
                                 fmt::format("the text is longer than {} bytes", options_.max_output_bytes),
                                 {},
                                 {}});
    }
    out_ += text;
    return {};
  }

  Result<Flow> nodes(const Nodes& list, const Value& dot) {
    for (const auto& node : list) {
      AT_TRY(spend(node.offset));
      AT_TRY(const auto flow, one(node, dot));
      if (flow != Flow::kNext) return flow;
    }
    return Flow::kNext;
  }

  Result<Flow> one(const Node& node, const Value& dot) {
    const auto scope = variables_.size();
    switch (node.kind) {
      case Node::Kind::kText: AT_TRY(write(node.offset, node.text)); return Flow::kNext;
      case Node::Kind::kAction: {
        AT_TRY(const auto value, pipeline(*node.pipeline, dot));
        if (!node.pipeline->variables.empty()) return Flow::kNext;
        AT_TRY(write(node.offset, options_.strict && (is_data(value) || is_sample(*value))
                                      ? print_structure(*value)
                                      : escaped(value, node.escape)));
        return Flow::kNext;
      }
      case Node::Kind::kIf:
      case Node::Kind::kWith: {
        AT_TRY(const auto value, pipeline(*node.pipeline, dot));
        const bool yes = is_true(*value);
        const auto& inner = yes && node.kind == Node::Kind::kWith ? value : dot;
        auto flow = nodes(yes ? node.body : node.otherwise, inner);
        variables_.resize(scope);
        return flow;
      }
      case Node::Kind::kRange: {
        auto flow = range(node, dot);
        variables_.resize(scope);
        return flow;
      }
      case Node::Kind::kTemplate: return call(node, dot);
      case Node::Kind::kBreak: return Flow::kBreak;
      case Node::Kind::kContinue: return Flow::kContinue;
    }
    return Flow::kNext;
  }

  Result<Flow> call(const Node& node, const Value& dot) {
    Value data;
    if (node.pipeline) {
      AT_TRY(data, pipeline(*node.pipeline, dot));
    }
    const auto defined = tree_.defined.find(node.text);
    if (defined == tree_.defined.end())
      return error(node.offset, fmt::format("template \"{}\" not defined", node.text));
    if (++calls_ > kMaxCalls) return error(node.offset, "templates call one another too deeply");
    const auto outer = variables_;
    variables_.resize(outside_);
    variables_.emplace_back("", data);
    AT_TRY(nodes(defined->second, data));
    variables_ = outer;
    --calls_;
    return Flow::kNext;
  }

  Result<Flow> range(const Node& node, const Value& dot) {
    const auto& pipe = *node.pipeline;
    AT_TRY(const auto list, evaluate(pipe, dot));
    std::vector<std::pair<boost::json::value, Value>> items;
    if (const auto* array = list->if_array()) {
      AT_TRY(spend(node.offset, array->size() * kBytesPerStep));
      for (const auto& item : *array) items.emplace_back(static_cast<std::int64_t>(items.size()), list.part(item));
    } else if (const auto* object = list->if_object()) {
      AT_TRY(spend(node.offset, object->size() * kBytesPerStep));
      for (const auto& [key, item] : *object) items.emplace_back(boost::json::string(key), list.part(item));
      std::ranges::sort(items,
                        [](const auto& a, const auto& b) { return a.first.get_string() < b.first.get_string(); });
    } else if (!list->is_null()) {
      return error(node.offset, fmt::format("range can't iterate over {}", type_name(*list)));
    }
    if (items.empty()) return nodes(node.otherwise, dot);
    const auto scope = variables_.size();
    for (auto& [key, item] : items) {
      if (pipe.variables.size() == 2) {
        AT_TRY(set(pipe, 0, Value(std::move(key))));
        AT_TRY(set(pipe, 1, item));
      } else if (pipe.variables.size() == 1) {
        AT_TRY(set(pipe, 0, item));
      }
      AT_TRY(const auto flow, nodes(node.body, item));
      variables_.resize(scope);
      if (flow == Flow::kBreak) break;
    }
    return Flow::kNext;
  }

  Status set(const Pipeline& pipe, std::size_t i, Value value) {
    const auto& name = pipe.variables[i];
    if (!pipe.assigns) {
      variables_.emplace_back(name, std::move(value));
      return {};
    }
    const auto it =
        std::ranges::find(variables_.rbegin(), variables_.rend(), name, &std::pair<std::string, Value>::first);
    if (it == variables_.rend()) return error(pipe.offset, fmt::format("undefined variable ${}", name));
    it->second = std::move(value);
    return {};
  }

  /// With its declaration or assignment.
  Result<Value> pipeline(const Pipeline& pipe, const Value& dot) {
    AT_TRY(auto value, evaluate(pipe, dot));
    for (std::size_t i = 0; i < pipe.variables.size(); ++i) AT_TRY(set(pipe, i, value));
    return value;
  }

  Result<Value> evaluate(const Pipeline& pipe, const Value& dot) {
    std::optional<Value> last;
    for (const auto& command : pipe.commands) {
      AT_TRY(last, run_command(command, dot, last));
    }
    return *last;
  }

  Result<std::optional<Value>> run_command(const Command& command, const Value& dot, const std::optional<Value>& last) {
    const auto& head = command.operands.front();
    AT_TRY(spend(head.offset));
    if (head.kind == Operand::Kind::kFunction && head.fields.empty() && is_lazy(*head.function)) {
      return and_or(command, dot, last);
    }
    Arguments arguments;
    for (std::size_t i = 1; i < command.operands.size(); ++i) {
      AT_TRY(auto value, operand(command.operands[i], dot, {}));
      arguments.push_back(std::move(value));
    }
    if (last) arguments.push_back(*last);
    const bool callable = head.kind == Operand::Kind::kFunction || !head.fields.empty();
    if (!callable && !arguments.empty()) return error(head.offset, "can't give argument to non-function");
    AT_TRY(auto value, operand(head, dot, arguments));
    return std::optional<Value>(std::move(value));
  }

  /// Takes its arguments unevaluated.
  static bool is_lazy(const Function& function) { return function.call == nullptr && !function.given; }

  Result<std::optional<Value>> and_or(const Command& command, const Value& dot, const std::optional<Value>& last) {
    const bool is_and = command.operands.front().function->name == "and";
    if (command.operands.size() == 1 && !last) {
      return error(command.operands.front().offset,
                   fmt::format("wrong number of args for {}: want at least 1 got 0", is_and ? "and" : "or"));
    }
    Value value;
    for (std::size_t i = 1; i < command.operands.size(); ++i) {
      AT_TRY(value, operand(command.operands[i], dot, {}));
      if (is_true(*value) != is_and) return std::optional<Value>(std::move(value));
    }
    return last ? last : std::optional<Value>(std::move(value));
  }

  Result<Value> operand(const Operand& operand, const Value& dot, const Arguments& arguments) {
    AT_TRY(spend(operand.offset));
    AT_TRY(auto value, base(operand, dot, arguments));
    for (std::size_t i = 0; i < operand.fields.size(); ++i) {
      const bool last = i + 1 == operand.fields.size();
      if (options_.strict && is_data(value) && !value->get_object().contains(operand.fields[i])) {
        return error(operand.offset, fmt::format("can't evaluate field {} in type struct", operand.fields[i]));
      }
      auto next = field(value, operand.fields[i], last ? arguments : Arguments{});
      if (!next) return error(operand.offset, next.error());
      if (options_.strict && value->is_null()) {
        return error(operand.offset, fmt::format("nil data; no entry for key \"{}\"", operand.fields[i]));
      }
      if (options_.strict && next->operator*().is_null() && is_texts(*value)) *next = Value(boost::json::string());
      // Methods copy what they return.
      if (next->operator->() != value.operator->() && !next->operator*().is_primitive()) {
        AT_TRY(spend(operand.offset, size_of(**next) * 16));
      }
      value = std::move(*next);
    }
    return value;
  }

  /// Labels and the like: to Go a map of texts, in which what is not there is "".
  static bool is_texts(const boost::json::value& value) {
    const auto* object = value.if_object();
    return object != nullptr && std::ranges::all_of(*object, [](const auto& one) { return one.value().is_string(); });
  }
  /// As Go prints a structure: the values of its fields in their order.
  static std::string print_structure(const boost::json::value& value) {
    std::string out;
    for (const auto& [name, one] : value.get_object()) out += (out.empty() ? "" : " ") + print(one);
    return "{" + out + "}";
  }

  static bool is_sample(const boost::json::value& value) {
    const auto* object = value.if_object();
    return object != nullptr && object->size() == 2 && object->contains("Labels") && object->contains("Value");
  }

  bool is_data(const Value& value) const { return &*value == data_ && value->is_object(); }

  static std::size_t size_of(const boost::json::value& value) {
    if (const auto* array = value.if_array()) return array->size();
    if (const auto* object = value.if_object()) return object->size();
    return 0;
  }

  Result<Value> base(const Operand& operand, const Value& dot, const Arguments& arguments) {
    switch (operand.kind) {
      case Operand::Kind::kDot: return dot;
      case Operand::Kind::kConstant: return Value::within(operand.constant);
      case Operand::Kind::kPipeline: return pipeline(*operand.pipeline, dot);
      case Operand::Kind::kVariable: {
        const auto it = std::ranges::find(variables_.rbegin(), variables_.rend(), operand.name,
                                          &std::pair<std::string, Value>::first);
        if (it == variables_.rend()) return error(operand.offset, fmt::format("undefined variable ${}", operand.name));
        return it->second;
      }
      case Operand::Kind::kFunction: return function(operand, arguments);
    }
    return Value();
  }

  Result<Value> function(const Operand& operand, const Arguments& given) {
    const auto& f = *operand.function;
    const auto arguments = operand.fields.empty() ? given : Arguments{};
    const auto count = static_cast<int>(arguments.size());
    if (is_lazy(f) || count < f.min_arguments || (f.max_arguments >= 0 && count > f.max_arguments)) {
      return error(operand.offset, fmt::format("wrong number of args for {}: want {}{} got {}", f.name,
                                               f.max_arguments < 0 ? "at least " : "", f.min_arguments, count));
    }
    if (f.texts && options_.strict) AT_TRY(check_texts(operand, arguments));
    auto result = f.given ? ask(f, arguments) : f.call(context_, arguments);
    if (!result) {
      auto cause = std::move(result).error();
      if (options_.strict) cause.message = fmt::format("error calling {}: {}", f.name, cause.message);
      return error(operand.offset, std::move(cause));
    }
    if (const auto* text = (**result).if_string()) {
      AT_TRY(spend(operand.offset, text->size()));
      if (text->size() > options_.max_output_bytes) {
        return error(operand.offset,
                     Error{ErrorCode::kTooLarge, fmt::format("{} made too long a text", f.name), {}, {}});
      }
    }
    return result;
  }

  Status check_texts(const Operand& operand, const Arguments& arguments) const {
    const auto other = std::ranges::find_if(arguments, [](const Value& one) { return !one->is_string(); });
    if (other == arguments.end()) return {};
    return error(operand.offset, fmt::format("wrong type for value; expected string; got {}", type_name(**other)));
  }

  Result<Value> ask(const Function& f, const Arguments& arguments) const {
    if (options_.call) return options_.call(f.name, arguments);
    return fail(ErrorCode::kUnprocessable, "not available here");
  }

  const Tree& tree_;
  const RenderOptions& options_;
  const boost::json::value* data_ = nullptr;
  CallContext context_;
  std::vector<std::pair<std::string, Value>> variables_;
  std::size_t outside_ = 0;
  std::string out_;
  std::size_t steps_ = 0;
  int calls_ = 0;
};

}  // namespace

Result<std::string> run_tree(const Tree& tree, const boost::json::value& data, const RenderOptions& options) {
  return Run(tree, options).run(data);
}

Result<Template> Template::parse(std::string_view text, const ParseOptions& options) {
  AT_TRY(auto tree, parse_tree(text, options));
  auto impl = std::make_shared<Impl>();
  impl->tree = std::move(tree);
  return Template(std::move(impl));
}

Result<std::string> Template::render(const boost::json::value& data, const RenderOptions& options) const {
  return run_tree(impl_->tree, data, options);
}

}  // namespace atalaya::templates
