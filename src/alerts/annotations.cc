#include "alerts/annotations.h"

namespace atalaya::alerts {
namespace {

constexpr std::size_t kMaxKept = 10'000;

}  // namespace

Result<templates::Template> parse_annotation(std::string_view text, std::string file) {
  return templates::Template::parse(
      text, {.file = std::move(file), .variables = {"labels", "value", "externalLabels", "externalURL"}});
}

boost::json::object labels_json(const Labels& labels) {
  boost::json::object out;
  for (const auto& [name, value] : labels) out[name] = value;
  return out;
}

const Result<templates::Template>& Annotations::parsed(const std::string& text) {
  auto it = parsed_.find(text);
  if (it == parsed_.end()) {
    if (parsed_.size() >= kMaxKept) parsed_.clear();
    it = parsed_.emplace(text, parse_annotation(text)).first;
  }
  return it->second;
}

std::map<std::string, std::string> Annotations::render(const std::map<std::string, std::string>& texts,
                                                       const Labels& labels, double value) {
  std::map<std::string, std::string> out;
  if (texts.empty()) return out;
  const boost::json::value labels_value = labels_json(labels);
  const boost::json::object data{
      {"Labels", labels_value}, {"Value", value}, {"ExternalLabels", external_labels_}, {"ExternalURL", external_url_}};
  const templates::RenderOptions options{.variables = {{"labels", labels_value},
                                                       {"value", value},
                                                       {"externalLabels", external_labels_},
                                                       {"externalURL", boost::json::string(external_url_)}},
                                         .max_output_bytes = max_bytes_};
  for (const auto& [name, text] : texts) {
    const auto& parsed_text = parsed(text);
    auto rendered = parsed_text ? parsed_text->render(data, options) : std::unexpected(parsed_text.error());
    out[name] = rendered ? std::move(*rendered) : "<error expanding template: " + to_string(rendered.error()) + ">";
  }
  return out;
}

}  // namespace atalaya::alerts
