#include "template/html.h"

#include "template/html_context.h"
#include "template/parser.h"
#include "template/run.h"

namespace atalaya::templates {

struct HtmlTemplate::Impl {
  Tree tree;
};

Result<HtmlTemplate> HtmlTemplate::parse(std::string_view text, const ParseOptions& options) {
  AT_TRY(auto tree, parse_tree(text, options));
  AT_TRY(choose_escapes(tree));
  auto impl = std::make_shared<Impl>();
  impl->tree = std::move(tree);
  return HtmlTemplate(std::move(impl));
}

Result<std::string> HtmlTemplate::render(const boost::json::value& data, const RenderOptions& options) const {
  return run_tree(impl_->tree, data, options);
}

}  // namespace atalaya::templates
