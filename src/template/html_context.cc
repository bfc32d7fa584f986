#include "template/html_context.h"

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <utility>

#include "template/html_reader.h"

namespace atalaya::templates {
namespace {

/// Loops are read again until their end agrees with their beginning, so nested ones cost; this is thirty
/// times the longest template.
constexpr std::size_t kMaxWork = 8 << 20;

/// Reads the template's text in the order in which it would be printed. Thread-compatible.
class Walk {
 public:
  explicit Walk(Tree& tree) : tree_(tree) {}

  Status run() {
    AT_TRY(whole(tree_.main, "the page"));
    for (auto& [name, nodes] : tree_.defined) AT_TRY(whole(nodes, fmt::format("template \"{}\"", name)));
    return {};
  }

 private:
  using State = HtmlContext::State;

  std::unexpected<Error> error(std::size_t offset, Error cause) const {
    cause.place = tree_.place(offset);
    cause.message = "template: " + cause.message;
    return std::unexpected(std::move(cause));
  }
  std::unexpected<Error> error(std::size_t offset, std::string message, std::string remedy) const {
    return error(offset, Error{ErrorCode::kInvalidArgument, std::move(message), std::nullopt, std::move(remedy)});
  }

  Status whole(Nodes& list, std::string_view what) {
    reader_ = HtmlReader();
    end_ = 0;
    AT_TRY(nodes(list));
    if (reader_.context().state == State::kText) return {};
    return error(end_, fmt::format("{} ends {}", what, where(reader_.context())), "close it");
  }

  /// With its end settled.
  Status nodes(Nodes& list) {
    for (auto& node : list) AT_TRY(one(node));
    return settle(end_);
  }

  Status settle(std::size_t offset) {
    if (auto status = reader_.settle(); !status) return error(offset, std::move(status).error());
    return {};
  }

  Status one(Node& node) {
    work_ += 1 + node.text.size();
    if (work_ > kMaxWork) return error(node.offset, "too many loops within loops", "take the inner ones apart");
    if (node.kind == Node::Kind::kText) return text(node);
    end_ = node.offset;
    AT_TRY(settle(node.offset));
    switch (node.kind) {
      case Node::Kind::kText: return {};
      case Node::Kind::kAction: return action(node);
      case Node::Kind::kIf:
      case Node::Kind::kWith: return branches(node);
      case Node::Kind::kRange: return range(node);
      case Node::Kind::kTemplate:
        if (reader_.context().state == State::kText) return {};
        return error(node.offset, fmt::format("template \"{}\" is called {}", node.text, where(reader_.context())),
                     "call it between tags");
      case Node::Kind::kBreak:
      case Node::Kind::kContinue:
        if (reader_.context().state == State::kText && loop_is_text_) return {};
        return error(node.offset, "a loop is left within a tag", "use break and continue between tags only");
    }
    return {};
  }

  Status text(const Node& node) {
    for (std::size_t i = 0; i < node.text.size(); ++i) {
      if (auto status = reader_.take(node.text[i]); !status) return error(node.offset + i, std::move(status).error());
    }
    end_ = node.offset + node.text.size();
    return {};
  }

  Status action(Node& node) {
    if (!node.pipeline->variables.empty()) return {};
    auto escape = reader_.action();
    if (!escape) return error(node.offset, std::move(escape).error());
    node.escape = *escape;
    return {};
  }

  std::unexpected<Error> apart(const Node& node, const HtmlContext& a, const HtmlContext& b) const {
    if (a.state == b.state && a.state == State::kValue && a.attribute == b.attribute) {
      return error(node.offset, fmt::format("the address in {} begins in more than one way", a.attribute),
                   "put the whole address into each branch");
    }
    if (a.state == b.state) {
      return error(node.offset, "the branches end within different attributes or tags", "end each as the others do");
    }
    return error(node.offset, fmt::format("one way ends {}, another {}", where(a), where(b)),
                 "open and close tags and quotes within the same branch");
  }

  Status branches(Node& node) {
    const auto before = reader_.context();
    AT_TRY(nodes(node.body));
    const auto yes = reader_.context();
    reader_.go_on(before);
    AT_TRY(nodes(node.otherwise));
    auto both = join(yes, reader_.context());
    if (!both) return apart(node, yes, reader_.context());
    reader_.go_on(std::move(*both));
    return {};
  }

  Status range(Node& node) {
    const auto before = reader_.context();
    auto entry = before;
    const bool outer = std::exchange(loop_is_text_, before.state == State::kText);
    // An address goes through few states, each weaker than the one before.
    for (bool again = true; again;) {
      reader_.go_on(entry);
      AT_TRY(nodes(node.body));
      auto both = join(entry, reader_.context());
      if (!both) return apart(node, entry, reader_.context());
      again = !(*both == entry);
      entry = std::move(*both);
    }
    loop_is_text_ = outer;
    reader_.go_on(before);
    AT_TRY(nodes(node.otherwise));
    auto both = join(entry, reader_.context());
    if (!both) return apart(node, entry, reader_.context());
    reader_.go_on(std::move(*both));
    return {};
  }

  Tree& tree_;
  HtmlReader reader_;
  std::size_t end_ = 0;  ///< of what was read last
  std::size_t work_ = 0;
  bool loop_is_text_ = false;
};

}  // namespace

Status choose_escapes(Tree& tree) { return Walk(tree).run(); }

}  // namespace atalaya::templates
