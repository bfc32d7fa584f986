#include "template/html.h"

#include <algorithm>
#include <utility>

#include "template/html_context.h"
#include "template/parser.h"
#include "template/run.h"

namespace atalaya::templates {

struct HtmlTemplate::Impl {
  Tree tree;
};

Result<HtmlTemplate> HtmlTemplate::parse(std::string_view text, const ParseOptions& options) {
  AT_TRY(auto tree, parse_tree(text, options));
  std::vector<Error> errors;
  choose_escapes(tree, errors);
  if (!errors.empty()) return std::unexpected(std::move(errors.front()));
  auto impl = std::make_shared<Impl>();
  impl->tree = std::move(tree);
  return HtmlTemplate(std::move(impl));
}

std::vector<Error> HtmlTemplate::mistakes(std::string_view text, const ParseOptions& options, const CheckCall& check) {
  std::vector<Error> errors;
  auto tree = parse_tree(text, options, errors, check);
  choose_escapes(tree, errors);
  std::stable_sort(errors.begin(), errors.end(), [](const Error& a, const Error& b) {
    const auto key = [](const Error& error) { return std::pair(error.place->line, error.place->column); };
    return key(a) < key(b);
  });
  return errors;
}

Result<std::string> HtmlTemplate::render(const boost::json::value& data, const RenderOptions& options) const {
  return run_tree(impl_->tree, data, options);
}

}  // namespace atalaya::templates
