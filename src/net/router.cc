#include <algorithm>
#include <map>

#include "base/check.h"
#include "net/http.h"
#include "net/percent.h"
#include "net/router_match.h"

namespace atalaya::net {
namespace {

/// A node is a prefix of patterns; where several patterns name the same capture differently, each
/// route keeps its own names and the node knows only that there is one.
struct Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> capture;
  std::map<std::string, Router::Match, std::less<>> ends;   ///< by method: the pattern ends here
  std::map<std::string, Router::Match, std::less<>> rests;  ///< by method: `{name...}` begins here
};

constexpr std::string_view kWebSocket = "WEBSOCKET";

/// One search. Each node lies on at most one way from the root, so a search visits a node once.
class Search {
 public:
  Search(std::string_view method, std::string_view path, std::vector<std::string>& allowed)
      : method_(method), segments_(path_segments(path)), allowed_(allowed) {}

  const Router::Match* run(const Node& node, std::size_t at, bool root = true) {
    if (at == segments_.size()) return pick(node.ends);
    if (const auto it = node.literals.find(segments_[at]); it != node.literals.end())
      if (const auto* found = run(*it->second, at + 1, false)) return found;
    if (node.capture && !segments_[at].empty()) {
      captured_.push_back(at);
      if (const auto* found = run(*node.capture, at + 1, false)) return found;
      captured_.pop_back();
    }
    const auto* found = pick(node.rests, root);
    if (found) rest_ = at;
    return found;
  }

  Parameters captures(const Router::Match& match) const {
    Parameters values;
    for (std::size_t i = 0; i < captured_.size(); ++i)
      values.add(match.capture_names[i], decode(segments_[captured_[i]]));
    if (!rest_) return values;
    std::string rest;
    for (std::size_t i = *rest_; i < segments_.size(); ++i) {
      if (i > *rest_) rest += '/';
      rest += decode(segments_[i]);
    }
    values.add(match.capture_names.back(), std::move(rest));
    return values;
  }

 private:
  static std::string decode(std::string_view segment) {
    auto decoded = percent_decode(segment);
    return decoded ? std::move(*decoded) : std::string(segment);
  }

  /// `catches_all` is a pattern without any literal: it does not make every unknown path a known
  /// one with another method.
  const Router::Match* pick(const std::map<std::string, Router::Match, std::less<>>& by_method,
                            bool catches_all = false) {
    auto it = by_method.find(method_);
    if (it == by_method.end() && method_ == "HEAD") it = by_method.find(std::string_view("GET"));
    // Nor does it answer for a path that is known with other methods: that is a 405, not its page.
    if (it != by_method.end() && (!catches_all || allowed_.empty())) return &it->second;
    if (catches_all) return nullptr;
    for (const auto& [method, match] : by_method) {
      allowed_.push_back(match.websocket ? "GET" : method);
      if (method == "GET") allowed_.push_back("HEAD");
    }
    return nullptr;
  }

  std::string_view method_;
  std::vector<std::string_view> segments_;
  std::vector<std::size_t> captured_;
  std::optional<std::size_t> rest_;
  std::vector<std::string>& allowed_;
};

}  // namespace

struct Router::Impl {
  Node root;
  std::vector<std::string> routes;

  void insert(std::string method, std::string pattern, Match match) {
    AT_CHECK(pattern.starts_with('/'));
    routes.push_back((match.websocket ? "GET" : method) + " " + pattern);
    Node* node = &root;
    const auto segments = path_segments(pattern);
    bool rest = false;
    for (std::size_t i = 0; i < segments.size(); ++i) {
      auto segment = segments[i];
      if (!segment.starts_with('{') || !segment.ends_with('}')) {
        auto& child = node->literals[std::string(segment)];
        if (!child) child = std::make_unique<Node>();
        node = child.get();
        continue;
      }
      segment = segment.substr(1, segment.size() - 2);
      rest = segment.ends_with("...");
      AT_CHECK(!rest || i + 1 == segments.size());
      if (rest) segment.remove_suffix(3);
      match.capture_names.emplace_back(segment);
      if (rest) break;
      if (!node->capture) node->capture = std::make_unique<Node>();
      node = node->capture.get();
    }
    match.pattern = std::move(pattern);
    auto& by_method = rest ? node->rests : node->ends;
    AT_CHECK(by_method.emplace(std::move(method), std::move(match)).second);  // the same route twice
  }
};

Router::Router() : impl_(std::make_unique<Impl>()) {}
Router::~Router() = default;

void Router::add(std::string method, std::string pattern, Handler handler, RouteOptions options) {
  impl_->insert(std::move(method), std::move(pattern), {{}, std::move(handler), {}, options, {}});
}

void Router::add_websocket(std::string pattern, WebSocketHandler handler) {
  impl_->insert(std::string(kWebSocket), std::move(pattern), {{}, {}, std::move(handler), {}, {}});
}

std::vector<std::string> Router::routes() const {
  auto sorted = impl_->routes;
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

const Router::Match* Router::find(std::string_view method, std::string_view path, Parameters& captures,
                                  std::vector<std::string>& allowed) const {
  allowed.clear();
  Search search(method, path, allowed);
  const auto* match = search.run(impl_->root, 0);
  if (match) {
    allowed.clear();
    captures = search.captures(*match);
  }
  std::sort(allowed.begin(), allowed.end());
  allowed.erase(std::unique(allowed.begin(), allowed.end()), allowed.end());
  return match;
}

}  // namespace atalaya::net
