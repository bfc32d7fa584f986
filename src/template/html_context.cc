#include "template/html_context.h"

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "template/html_reader.h"

namespace atalaya::templates {
namespace {

/// Loops are read again until their end agrees with their beginning, so nested ones cost; this is thirty
/// times the longest template.
constexpr std::size_t kMaxWork = 8 << 20;

/// Reads the template's text in the order in which it would be printed. A mistake is noted, and reading goes on
/// behind the tag that it stands in. Thread-compatible.
class Walk {
 public:
  Walk(Tree& tree, std::vector<Error>& errors) : tree_(tree), errors_(errors) {}

  void run() {
    whole(tree_.main, "the page");
    for (auto& [name, nodes] : tree_.defined) whole(nodes, fmt::format("template \"{}\"", name));
  }

 private:
  using State = HtmlContext::State;

  void note(std::size_t offset, Error cause) {
    cause.place = tree_.place(offset);
    cause.message = "template: " + cause.message;
    lost_ = true;
    // Loops are read again, and what a tag may not be its end may not be either.
    const bool ends = reader_.context().state == State::kEndTagName;
    for (const auto& one : errors_) {
      if (one.message == cause.message && (ends || one.place == cause.place)) return;
    }
    errors_.push_back(std::move(cause));
  }
  void note(std::size_t offset, std::string message, std::string remedy) {
    note(offset, Error{ErrorCode::kInvalidArgument, std::move(message), std::nullopt, std::move(remedy)});
  }

  void whole(Nodes& list, std::string_view what) {
    reader_ = HtmlReader();
    lost_ = false;
    end_ = 0;
    nodes(list);
    if (lost_ || reader_.context().state == State::kText) return;
    note(end_, fmt::format("{} ends {}", what, where(reader_.context())), "close it");
  }

  /// With its end settled.
  void nodes(Nodes& list) {
    for (auto& node : list) one(node);
    settle(end_);
  }

  void settle(std::size_t offset) {
    if (lost_) return;
    if (auto status = reader_.settle(); !status) note(offset, std::move(status).error());
  }

  void one(Node& node) {
    work_ += 1 + node.text.size();
    if (work_ > kMaxWork) {
      if (!std::exchange(too_much_, true)) {
        note(node.offset, "too many loops within loops", "take the inner ones apart");
      }
      return;
    }
    if (node.kind == Node::Kind::kText) return text(node);
    end_ = node.offset;
    settle(node.offset);
    switch (node.kind) {
      case Node::Kind::kText: return;
      case Node::Kind::kAction: return action(node);
      case Node::Kind::kIf:
      case Node::Kind::kWith: return branches(node);
      case Node::Kind::kRange: return range(node);
      case Node::Kind::kTemplate:
        if (lost_ || reader_.context().state == State::kText) return;
        return note(node.offset, fmt::format("template \"{}\" is called {}", node.text, where(reader_.context())),
                    "call it between tags");
      case Node::Kind::kBreak:
      case Node::Kind::kContinue:
        if (lost_ || (reader_.context().state == State::kText && loop_is_text_)) return;
        return note(node.offset, "a loop is left within a tag", "use break and continue between tags only");
    }
  }

  void text(const Node& node) {
    end_ = node.offset + node.text.size();
    for (std::size_t i = 0; i < node.text.size(); ++i) {
      if (lost_) {
        // Up to the end of the tag, as far as one can tell.
        i = node.text.find('>', i);
        if (i == std::string::npos) return;
        reader_ = HtmlReader();
        lost_ = false;
        continue;
      }
      const bool opened = reader_.context().state == State::kTagOpen;
      auto status = reader_.take(node.text[i]);
      if (status) continue;
      note(node.offset + i, std::move(status).error());
      if (opened) {
        // There is no tag to be behind of.
        reader_ = HtmlReader();
        lost_ = false;
      }
      if (opened || node.text[i] == '>') --i;  // it is read again, or the end that is looked for
    }
  }

  void action(Node& node) {
    if (lost_ || (node.pipeline && !node.pipeline->variables.empty())) return;
    auto escape = reader_.action();
    if (escape) {
      node.escape = *escape;
    } else if (node.pipeline) {
      note(node.offset, std::move(escape).error());
    } else {
      lost_ = true;  // it is wrong already
    }
  }

  void apart(const Node& node, const HtmlContext& a, const HtmlContext& b) {
    if (a.state == b.state && a.state == State::kValue && a.attribute == b.attribute) {
      return note(node.offset, fmt::format("the address in {} begins in more than one way", a.attribute),
                  "put the whole address into each branch");
    }
    if (a.state == b.state) {
      return note(node.offset, "the branches end within different attributes or tags", "end each as the others do");
    }
    note(node.offset, fmt::format("one way ends {}, another {}", where(a), where(b)),
         "open and close tags and quotes within the same branch");
  }

  /// Goes on where both ways may; where one of them had a mistake, as if there were the other alone.
  void meet(const Node& node, const HtmlContext& one, bool one_lost) {
    const auto other = reader_.context();
    if (one_lost || lost_) {
      if (!one_lost) reader_.go_on(one);
      lost_ = one_lost && lost_;
      return;
    }
    auto both = join(one, other);
    if (!both) return apart(node, one, other);
    reader_.go_on(std::move(*both));
  }

  void branches(Node& node) {
    const auto before = reader_.context();
    const bool lost_before = lost_;
    nodes(node.body);
    const auto yes = reader_.context();
    const bool yes_lost = std::exchange(lost_, lost_before);
    reader_.go_on(before);
    nodes(node.otherwise);
    meet(node, yes, yes_lost);
  }

  void range(Node& node) {
    const auto before = reader_.context();
    const bool lost_before = lost_;
    auto entry = before;
    bool entry_lost = lost_;
    const bool outer = std::exchange(loop_is_text_, before.state == State::kText);
    // An address goes through few states, each weaker than the one before.
    for (bool again = true; again;) {
      reader_.go_on(entry);
      const auto known = errors_.size();
      nodes(node.body);
      entry_lost = lost_;
      if (lost_ || too_much_ || errors_.size() != known) break;
      auto both = join(entry, reader_.context());
      if (!both) {
        apart(node, entry, reader_.context());
        break;
      }
      again = !(*both == entry);
      entry = std::move(*both);
    }
    loop_is_text_ = outer;
    reader_.go_on(before);
    lost_ = lost_before;
    nodes(node.otherwise);
    meet(node, entry, entry_lost);
  }

  Tree& tree_;
  std::vector<Error>& errors_;
  HtmlReader reader_;
  std::size_t end_ = 0;  ///< of what was read last
  std::size_t work_ = 0;
  bool too_much_ = false;
  bool lost_ = false;  ///< behind a mistake: what is read next is not known before the tag ends
  bool loop_is_text_ = false;
};

}  // namespace

void choose_escapes(Tree& tree, std::vector<Error>& errors) { Walk(tree, errors).run(); }

}  // namespace atalaya::templates
