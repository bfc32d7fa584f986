// What requests hold, whatever they are written in.
#pragma once

#include <string_view>
#include <vector>

#include "occi/media.h"
#include "occi/text.h"
#include "occi/world.h"

namespace atalaya::occi {

/// A request's content. Bounds as in value.h; JSON at most 16 deep.
struct Content {
  Media media = Media::kOcci;
  TextMessage text;  ///< of text/plain and text/occi
  std::vector<std::string> uris;
  std::string_view json;  ///< borrowed
};
/// `fields`: all headers of the request; `body` is read by its media. invalid_argument, too_large.
Result<Content> read_content(Media media, const HeaderFields& fields, std::string_view body);

/// New entities; text describes one. Links whose `rel` is an action are passed over.
Result<std::vector<Draft>> drafts_of(const Content& content, const Model& model);
/// One entity, whole or in part.
Result<Draft> draft_of(const Content& content, const Model& model);
Result<ActionCall> action_of(const Content& content);
/// Ids of entities that are named by their addresses, or rendered.
Result<std::vector<std::string>> members_of(const Content& content);
/// Definitions of mixins (for POST of the query interface).
Result<std::vector<CategoryLine>> definitions_of(const Content& content);
/// Ids of categories (for DELETE of the query interface).
Result<std::vector<std::string>> categories_of(const Content& content);
/// From the headers, and from the body where there is one.
Result<Filter> filter_of(const Content& content);

}  // namespace atalaya::occi
