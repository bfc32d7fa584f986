#include "rules/groups/expander.h"

namespace atalaya::rules {
namespace {

namespace json = boost::json;

json::object object_of(const Labels& labels) {
  json::object out;
  for (const auto& [name, value] : labels) out[name] = value;
  return out;
}

}  // namespace

Expander::Expander(const Outside& outside, const AskSeries& ask, Time at, const Labels& labels, double value)
    : ask_(ask) {
  const json::value all = object_of(labels);
  const json::value external = object_of(outside.external_labels);
  data_ = json::object{
      {"Labels", all}, {"ExternalLabels", external}, {"ExternalURL", outside.external_url}, {"Value", value}};
  options_.variables = {{"labels", all},
                        {"value", value},
                        {"externalLabels", external},
                        {"externalURL", json::string(outside.external_url)}};
  options_.strict = true;
  options_.now = at;
  options_.call = [this](std::string_view, const templates::Arguments& arguments) -> Result<templates::Value> {
    AT_TRY(const auto found, ask_(templates::print(*arguments.front())));
    json::array out;
    for (const auto& one : found) {
      out.push_back(json::object{{"Labels", object_of(one.labels)}, {"Value", one.value}});
    }
    return templates::Value(std::move(out));
  };
}

std::string Expander::expand(const PromText& text) const {
  if (!text.parsed) return text.text;
  auto rendered = text.parsed->render(data_, options_);
  if (rendered) return std::move(*rendered);
  return "<error expanding template: " + to_string(rendered.error()) + ">";
}

}  // namespace atalaya::rules
