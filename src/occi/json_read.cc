#include "occi/json_read.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace atalaya::occi {
namespace {

namespace json = boost::json;

std::unexpected<Error> wrong(std::string message, std::string remedy = {}) {
  return fail(ErrorCode::kInvalidArgument, std::move(message), std::move(remedy));
}

Result<json::value> parsed(std::string_view body) {
  if (body.size() > kMostBytes) return fail(ErrorCode::kTooLarge, fmt::format("more than {} bytes", kMostBytes));
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 16;
  auto out = json::parse(body, error, {}, options);
  if (error) return wrong("the body is no JSON", "an object such as {\"kind\": \"…#compute\", \"attributes\": {}}");
  return out;
}

Result<std::string> text_at(const json::object& from, std::string_view key) {
  const auto* value = from.if_contains(key);
  if (value == nullptr || value->is_null()) return std::string();
  if (!value->is_string()) return wrong(fmt::format("\"{}\" is no text", key));
  const std::string_view text = value->get_string();
  if (text.size() > kMostValueBytes || !is_clean(text))
    return wrong(fmt::format("\"{}\" is too long, or has control characters", key));
  return std::string(text);
}

Result<std::vector<std::string>> texts_at(const json::object& from, std::string_view key) {
  std::vector<std::string> out;
  const auto* value = from.if_contains(key);
  if (value == nullptr || value->is_null()) return out;
  if (!value->is_array() || value->get_array().size() > kMostEntities)
    return wrong(fmt::format("\"{}\" is no list of texts", key));
  for (const auto& one : value->get_array()) {
    if (!one.is_string() || one.get_string().size() > 4 * kMostNameBytes || !is_clean(one.get_string()))
      return wrong(fmt::format("\"{}\" is no list of texts", key));
    out.emplace_back(one.get_string());
  }
  return out;
}

Status flatten(AttributeList& out, const std::string& prefix, const json::object& from) {
  for (const auto& [key, value] : from) {
    const auto name = prefix.empty() ? std::string(key) : fmt::format("{}.{}", prefix, std::string_view(key));
    if (!is_attribute_name(name))
      return wrong(fmt::format("attribute \"{}\": no name of one", is_clean(name) ? name.substr(0, 80) : ""));
    if (value.is_object()) {
      AT_TRY(flatten(out, name, value.get_object()));
      continue;
    }
    if (find(out, name) != nullptr) return wrong(fmt::format("attribute {} stands twice", name));
    if (out.size() >= kMostAttributes)
      return fail(ErrorCode::kTooLarge, fmt::format("more than {} attributes", kMostAttributes));
    if (value.is_string()) {
      const std::string_view text = value.get_string();
      if (text.size() > kMostValueBytes)
        return fail(ErrorCode::kTooLarge, fmt::format("attribute {}: longer than {} bytes", name, kMostValueBytes));
      if (!is_clean(text)) return wrong(fmt::format("attribute {}: it holds control characters", name));
      out.emplace_back(name, std::string(text));
    } else if (value.is_bool()) {
      out.emplace_back(name, value.get_bool());
    } else if (value.is_int64()) {
      out.emplace_back(name, value.get_int64());
    } else if (value.is_uint64()) {
      out.emplace_back(name, static_cast<double>(value.get_uint64()));
    } else if (value.is_double() && std::isfinite(value.get_double())) {
      out.emplace_back(name, value.get_double());
    } else {
      return wrong(fmt::format("attribute {}: neither text, number nor boolean", name));
    }
  }
  return {};
}

/// "source": an address, or {"location": …}.
Status take_end(Draft& out, const json::object& from, std::string_view key, std::string_view name) {
  const auto* value = from.if_contains(key);
  if (value == nullptr) return {};
  std::string text;
  if (value->is_object()) {
    AT_TRY(text, text_at(value->get_object(), "location"));
  } else {
    AT_TRY(text, text_at(from, key));
  }
  if (text.empty()) return wrong(fmt::format("\"{}\" is no address", key));
  std::erase_if(out.attributes, [&](const auto& one) { return one.first == name; });
  out.attributes.emplace_back(std::string(name), std::move(text));
  return {};
}

Result<Draft> draft(const json::value& value, bool may_have_links) {
  if (!value.is_object()) return wrong("an entity is a JSON object");
  const auto& from = value.get_object();
  for (const auto& [key, given] : from) {
    constexpr std::string_view kKnown[] = {"id",      "kind",  "mixins", "attributes", "actions", "links",
                                           "summary", "title", "source", "target",     "location"};
    if (std::find(std::begin(kKnown), std::end(kKnown), std::string_view(key)) == std::end(kKnown))
      return wrong(fmt::format("unknown key \"{}\"", is_clean(key) ? std::string_view(key).substr(0, 64) : ""),
                   "id, kind, mixins, attributes, links, source, target, title, summary");
  }
  Draft out;
  AT_TRY(out.id, text_at(from, "id"));
  AT_TRY(out.kind, text_at(from, "kind"));
  AT_TRY(out.mixins, texts_at(from, "mixins"));
  if (const auto* attributes = from.if_contains("attributes")) {
    if (!attributes->is_object()) return wrong("\"attributes\" is no JSON object");
    AT_TRY(flatten(out.attributes, "", attributes->get_object()));
  }
  for (const auto& [key, name] : {std::pair{"title", kTitle}, std::pair{"summary", kSummary}}) {
    AT_TRY(auto text, text_at(from, key));
    const auto* given = from.if_contains(key);
    const bool is_given = given != nullptr && !given->is_null();  // an empty one takes the old one away
    if (is_given && find(out.attributes, name) == nullptr)
      out.attributes.emplace_back(std::string(name), std::move(text));
  }
  AT_TRY(take_end(out, from, "source", kSource));
  AT_TRY(take_end(out, from, "target", kTarget));
  const auto* links = from.if_contains("links");
  if (links == nullptr) return out;
  if (!links->is_array() || !may_have_links || links->get_array().size() > kMostEntities)
    return wrong("\"links\" is no list of links");
  for (const auto& link : links->get_array()) {
    if (link.is_string()) {
      out.linked.emplace_back(link.get_string());
      continue;
    }
    AT_TRY(auto one, draft(link, false));
    if (one.kind.empty()) one.kind = std::string(kCoreScheme) + "link";
    out.links.push_back(std::move(one));
  }
  return out;
}

bool is_collection(const json::value& value) {
  return value.is_object() && !value.get_object().contains("kind") && !value.get_object().contains("attributes") &&
         (value.get_object().contains("resources") ||
          (value.get_object().contains("links") && !value.get_object().contains("id")));
}

Result<std::vector<const json::value*>> entities(const json::value& value) {
  std::vector<const json::value*> out;
  const auto take = [&](const json::value& list) -> Status {
    if (!list.is_array()) return wrong("\"resources\" and \"links\" are lists");
    for (const auto& one : list.get_array()) out.push_back(&one);
    return {};
  };
  if (value.is_array()) {
    AT_TRY(take(value));
  } else if (is_collection(value)) {
    for (const auto& [key, list] : value.get_object()) {
      if (key != "resources" && key != "links")
        return wrong(fmt::format("unknown key \"{}\"", is_clean(key) ? std::string_view(key).substr(0, 64) : ""),
                     "resources, links");
      AT_TRY(take(list));
    }
  } else {
    out.push_back(&value);
  }
  if (out.size() > kMostEntities)
    return fail(ErrorCode::kTooLarge, fmt::format("more than {} entities", kMostEntities));
  return out;
}

Result<CategoryLine> definition(const json::value& value) {
  if (!value.is_object()) return wrong("a mixin is a JSON object");
  const auto& from = value.get_object();
  CategoryLine out;
  out.cls = "mixin";
  AT_TRY(out.term, text_at(from, "term"));
  AT_TRY(out.scheme, text_at(from, "scheme"));
  AT_TRY(out.title, text_at(from, "title"));
  AT_TRY(out.location, text_at(from, "location"));
  AT_TRY(out.rel, texts_at(from, "depends"));
  AT_TRY(const auto applies, texts_at(from, "applies"));
  out.rel.insert(out.rel.end(), applies.begin(), applies.end());
  AT_TRY(out.actions, texts_at(from, "actions"));
  if (const auto* attributes = from.if_contains("attributes"); attributes != nullptr && attributes->is_object()) {
    for (const auto& [key, one] : attributes->get_object()) out.attributes.push_back({std::string(key), false, false});
  }
  if (out.term.empty() || out.scheme.empty()) return wrong("a mixin has a term and a scheme");
  return out;
}

}  // namespace

Result<std::vector<Draft>> json_drafts(std::string_view body) {
  AT_TRY(const auto value, parsed(body));
  AT_TRY(const auto list, entities(value));
  std::vector<Draft> out;
  for (const auto* one : list) {
    AT_TRY(auto made, draft(*one, true));
    out.push_back(std::move(made));
  }
  return out;
}

Result<ActionCall> json_action(std::string_view body) {
  ActionCall out;
  if (body.empty()) return out;
  AT_TRY(const auto value, parsed(body));
  if (!value.is_object()) return wrong("an action is a JSON object");
  const auto& from = value.get_object();
  AT_TRY(out.action, text_at(from, "action"));
  if (const auto* attributes = from.if_contains("attributes")) {
    if (!attributes->is_object()) return wrong("\"attributes\" is no JSON object");
    AT_TRY(flatten(out.attributes, "", attributes->get_object()));
  }
  return out;
}

Result<std::vector<std::string>> json_members(std::string_view body) {
  std::vector<std::string> out;
  if (body.empty()) return out;
  AT_TRY(const auto value, parsed(body));
  AT_TRY(const auto list, entities(value));
  for (const auto* one : list) {
    std::string text;
    if (one->is_string()) {
      text = std::string(one->get_string());
    } else if (one->is_object()) {
      AT_TRY(text, text_at(one->get_object(), one->get_object().contains("id") ? "id" : "location"));
    }
    if (text.empty()) return wrong("a member is named by its address or id");
    out.push_back(id_of_reference(text));
  }
  return out;
}

Result<std::vector<CategoryLine>> json_definitions(std::string_view body) {
  AT_TRY(const auto value, parsed(body));
  std::vector<CategoryLine> out;
  const auto* list = value.is_object() ? value.get_object().if_contains("mixins") : nullptr;
  if (list == nullptr) {
    AT_TRY(auto one, definition(value));
    out.push_back(std::move(one));
    return out;
  }
  if (!list->is_array() || list->get_array().size() > kMostEntities) return wrong("\"mixins\" is no list");
  for (const auto& one : list->get_array()) {
    AT_TRY(auto made, definition(one));
    out.push_back(std::move(made));
  }
  return out;
}

Result<std::vector<std::string>> json_categories(std::string_view body) {
  AT_TRY(const auto value, parsed(body));
  const auto* list = value.is_object() ? value.get_object().if_contains("mixins") : nullptr;
  if (list != nullptr && list->is_array() && !list->get_array().empty() && list->get_array().front().is_string())
    return texts_at(value.get_object(), "mixins");
  AT_TRY(const auto lines, json_definitions(body));
  std::vector<std::string> out;
  for (const auto& line : lines) out.push_back(line.id());
  return out;
}

}  // namespace atalaya::occi
