#include "occi/request.h"

#include <fmt/format.h>

#include <algorithm>

#include "occi/json_read.h"

namespace atalaya::occi {
namespace {

std::unexpected<Error> wrong(std::string message, std::string remedy = {}) {
  return fail(ErrorCode::kInvalidArgument, std::move(message), std::move(remedy));
}

/// Kinds and mixins are told apart by their class; where it is left out, by what is known.
Status take_category(Draft& out, const CategoryLine& line, const Model& model) {
  const auto id = line.id();
  const bool is_kind = line.cls.empty() ? model.kind(id) != nullptr : line.cls == "kind";
  if (!line.cls.empty() && line.cls != "kind" && line.cls != "mixin")
    return wrong(fmt::format("Category {}: an entity has no {}", id, line.cls), "class=\"kind\" or class=\"mixin\"");
  if (!is_kind) {
    out.mixins.push_back(id);
    return {};
  }
  if (!out.kind.empty()) return wrong(fmt::format("Category {}: the entity has the kind {} already", id, out.kind));
  out.kind = id;
  return {};
}

bool is_action(const LinkLine& link, const Model& model) {
  return std::any_of(link.rel.begin(), link.rel.end(), [&](const auto& id) {
    const auto* found = model.find(id);
    return (found != nullptr && found->cls == Category::Class::kAction) || id.find("/action#") != std::string::npos;
  });
}

Result<Draft> link_draft(const LinkLine& link, const Model& model) {
  Draft out;
  for (const auto& id : link.categories) {
    if (model.kind(id) != nullptr && out.kind.empty())
      out.kind = id;
    else
      out.mixins.push_back(id);
  }
  if (link.categories.empty()) out.kind = std::string(kCoreScheme) + "link";
  if (out.kind.empty())
    return wrong(fmt::format("Link <{}>: category names no kind", link.target), "category=\"…#networkinterface\"");
  out.attributes = link.attributes;
  std::erase_if(out.attributes, [](const auto& one) { return one.first == kTarget; });
  out.attributes.emplace_back(std::string(kTarget), link.target);
  if (!link.self.empty()) out.id = id_of_reference(link.self);
  return out;
}

Result<Draft> draft_of_text(const TextMessage& message, const Model& model) {
  Draft out;
  for (const auto& category : message.categories) AT_TRY(take_category(out, category, model));
  out.attributes = message.attributes;
  for (const auto& link : message.links) {
    if (is_action(link, model)) continue;
    AT_TRY(auto one, link_draft(link, model));
    out.links.push_back(std::move(one));
  }
  return out;
}

bool is_text(const Content& content) { return content.media == Media::kPlain || content.media == Media::kOcci; }

std::unexpected<Error> no_uri_list() {
  return fail(ErrorCode::kInvalidArgument, "text/uri-list names entities and describes none");
}

}  // namespace

Result<Content> read_content(Media media, const HeaderFields& fields, std::string_view body) {
  Content out;
  out.media = media;
  if (body.size() > kMostBytes) return fail(ErrorCode::kTooLarge, fmt::format("more than {} bytes", kMostBytes));
  switch (media) {
    case Media::kPlain: {
      AT_TRY(out.text, parse_plain(body));
      return out;
    }
    case Media::kOcci: {
      AT_TRY(out.text, parse_headers(fields));
      return out;
    }
    case Media::kUriList: {
      AT_TRY(out.uris, parse_uri_list(body));
      return out;
    }
    case Media::kJson: out.json = body; return out;
  }
  return out;
}

Result<std::vector<Draft>> drafts_of(const Content& content, const Model& model) {
  if (content.media == Media::kUriList) return no_uri_list();
  if (content.media == Media::kJson) return json_drafts(content.json);
  AT_TRY(auto draft, draft_of_text(content.text, model));
  return std::vector<Draft>{std::move(draft)};
}

Result<Draft> draft_of(const Content& content, const Model& model) {
  AT_TRY(auto drafts, drafts_of(content, model));
  if (drafts.size() != 1) return wrong(fmt::format("{} entities, where one is wanted", drafts.size()));
  return std::move(drafts.front());
}

Result<ActionCall> action_of(const Content& content) {
  if (content.media == Media::kUriList) return no_uri_list();
  if (content.media == Media::kJson) return json_action(content.json);
  ActionCall out;
  if (content.text.categories.size() > 1) return wrong("an action has one Category");
  if (!content.text.categories.empty()) {
    const auto& line = content.text.categories.front();
    if (!line.cls.empty() && line.cls != "action") return wrong(fmt::format("Category {} is no action", line.id()));
    out.action = line.id();
  }
  out.attributes = content.text.attributes;
  return out;
}

Result<std::vector<std::string>> members_of(const Content& content) {
  std::vector<std::string> out;
  if (content.media == Media::kJson) return json_members(content.json);
  for (const auto& uri : content.media == Media::kUriList ? content.uris : content.text.locations)
    out.push_back(id_of_reference(uri));
  return out;
}

Result<std::vector<CategoryLine>> definitions_of(const Content& content) {
  if (content.media == Media::kUriList) return no_uri_list();
  if (content.media == Media::kJson) return json_definitions(content.json);
  return categories_of(content.text);
}

Result<std::vector<std::string>> categories_of(const Content& content) {
  if (content.media == Media::kUriList) return no_uri_list();
  if (content.media == Media::kJson) return json_categories(content.json);
  std::vector<std::string> out;
  for (const auto& line : content.text.categories) out.push_back(line.id());
  return out;
}

Result<Filter> filter_of(const Content& content) {
  Filter out;
  if (is_text(content)) {
    for (const auto& line : content.text.categories) out.categories.push_back(line.id());
    out.attributes = content.text.attributes;
  }
  return out;
}

}  // namespace atalaya::occi
