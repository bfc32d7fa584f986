#include "packages/explain.h"

#include <boost/json.hpp>

#include <algorithm>

namespace atalaya::packages {
namespace {

class Explainer {
 public:
  explicit Explainer(const ExplainRequest& request) : request_(request) {}

  void record(const schema::Type& type, const boost::json::object& values, const config::Node* node,
              const config::Node* own, const std::string& prefix) {
    for (const auto& field : type.fields) {
      const auto* value = values.if_contains(field.name);
      if (value == nullptr) continue;
      const auto* written = node == nullptr ? nullptr : node->get(field.name);
      const auto* in_own = own == nullptr ? nullptr : own->get(field.name);
      const auto name = prefix.empty() ? field.name : prefix + "." + field.name;
      if (field.type->kind == schema::Kind::kRecord && value->is_object()) {
        record(*field.type, value->get_object(), written, in_own, name);
        continue;
      }
      if (written == nullptr && value->is_null()) continue;
      FieldView view;
      view.field = name;
      view.value = field.type->kind == schema::Kind::kSecret ? std::string(kHiddenSecret)
                                                             : schema::format(*value, *field.type, request_.rules);
      origin(written, in_own != nullptr, view);
      out.push_back(std::move(view));
    }
  }

  std::vector<FieldView> out;

 private:
  /// A mapping that parts of several packages make up is told by its first entry.
  void origin(const config::Node* node, bool is_own, FieldView& view) const {
    view.package = request_.package;
    if (node == nullptr) {
      view.how = "default";
      return;
    }
    view.place = node->place();
    view.package = view.place.file.substr(0, view.place.file.find('/'));
    const auto& by = request_.item.overridden_by;
    if (std::find(by.begin(), by.end(), view.package) != by.end()) {
      view.how = "override";
    } else if (const auto parameter = parameter_in(*node); !parameter.empty()) {
      view.how = "parameter";
      if (const auto given = request_.given.find(parameter); given != request_.given.end()) {
        view.place = given->second;
        view.package = view.place.file.substr(0, view.place.file.find('/'));
      }
    } else {
      view.how = is_own ? "written" : "link";
    }
  }

  /// Name of the first parameter that the node's text holds; "" for none.
  std::string parameter_in(const config::Node& node) const {
    const auto file = request_.text_of(node.place().file);
    if (node.begin() >= file.size() || node.end() > file.size() || node.end() <= node.begin()) return "";
    const auto text = file.substr(node.begin(), node.end() - node.begin());
    const auto at = text.find("${");
    if (at == std::string_view::npos || (at > 0 && text[at - 1] == '$')) return "";
    const auto end = text.find('}', at);
    return end == std::string_view::npos ? "" : std::string(text.substr(at + 2, end - at - 2));
  }

  const ExplainRequest& request_;
};

}  // namespace

std::vector<FieldView> explain(const ExplainRequest& request) {
  Explainer explainer(request);
  explainer.record(request.body, request.effective, request.item.tree.node, request.item.written, "");
  return std::move(explainer.out);
}

void hide_secrets(boost::json::object& values, const schema::Type* record) {
  if (record == nullptr) return;
  for (const auto& field : record->fields) {
    auto* value = values.if_contains(field.name);
    if (value == nullptr || value->is_null()) continue;
    if (field.type->kind == schema::Kind::kSecret)
      *value = kHiddenSecret;
    else if (field.type->kind == schema::Kind::kRecord && value->is_object())
      hide_secrets(value->get_object(), field.type.get());
  }
}

bool holds_secrets(const schema::Type& type, int depth) {
  if (type.kind == schema::Kind::kSecret) return true;
  if (depth > 6) return false;
  for (const auto& field : type.fields) {
    if (field.type && holds_secrets(*field.type, depth + 1)) return true;
  }
  return type.of && holds_secrets(*type.of, depth + 1);
}

}  // namespace atalaya::packages
