#include "packages/explain.h"

#include <boost/json.hpp>

#include <algorithm>

namespace atalaya::packages {
namespace {

constexpr std::string_view kHidden = "\u2022\u2022\u2022\u2022\u2022\u2022";

class Explainer {
 public:
  explicit Explainer(const ExplainRequest& request) : request_(request) {}

  void record(const schema::Type& type, const boost::json::object& values, const config::Node* node,
              const std::string& prefix) {
    for (const auto& field : type.fields) {
      const auto* value = values.if_contains(field.name);
      if (value == nullptr) continue;
      const auto* written = node == nullptr ? nullptr : node->get(field.name);
      const auto name = prefix.empty() ? field.name : prefix + "." + field.name;
      if (field.type->kind == schema::Kind::kRecord && value->is_object()) {
        record(*field.type, value->get_object(), written, name);
        continue;
      }
      if (written == nullptr && value->is_null()) continue;
      FieldView view;
      view.field = name;
      view.value = field.type->kind == schema::Kind::kSecret ? std::string(kHidden)
                                                             : schema::format(*value, *field.type, request_.rules);
      origin(written, view);
      out.push_back(std::move(view));
    }
  }

  std::vector<FieldView> out;

 private:
  /// A mapping that parts of several packages make up is told by its first entry.
  void origin(const config::Node* node, FieldView& view) const {
    if (node == nullptr) {
      view.how = "default";
      view.package = request_.package;
      return;
    }
    view.place = node->place();
    view.package = package_of(view.place.file);
    if (view.package == request_.package) {
      view.how = has_parameter(*node) ? "parameter" : "written";
      return;
    }
    const auto& by = request_.item.overridden_by;
    view.how = std::find(by.begin(), by.end(), view.package) != by.end() ? "override" : "link";
  }

  std::string package_of(const std::string& file) const {
    auto rest = std::string_view(file);
    if (rest.starts_with(request_.root)) rest.remove_prefix(std::min(rest.size(), request_.root.size() + 1));
    return std::string(rest.substr(0, rest.find('/')));
  }

  bool has_parameter(const config::Node& node) const {
    const auto text = request_.text_of(node.place().file);
    if (node.begin() >= text.size() || node.end() > text.size() || node.end() <= node.begin()) return false;
    return text.substr(node.begin(), node.end() - node.begin()).find("${") != std::string_view::npos;
  }

  const ExplainRequest& request_;
};

}  // namespace

std::vector<FieldView> explain(const ExplainRequest& request) {
  Explainer explainer(request);
  explainer.record(request.body, request.effective, request.item.tree.node, "");
  return std::move(explainer.out);
}

void hide_secrets(boost::json::object& values, const schema::Type* record) {
  if (record == nullptr) return;
  for (const auto& field : record->fields) {
    auto* value = values.if_contains(field.name);
    if (value == nullptr || value->is_null()) continue;
    if (field.type->kind == schema::Kind::kSecret)
      *value = kHidden;
    else if (field.type->kind == schema::Kind::kRecord && value->is_object())
      hide_secrets(value->get_object(), field.type.get());
  }
}

}  // namespace atalaya::packages
