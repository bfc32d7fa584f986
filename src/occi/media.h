// Which rendering a request is in, and which its sender wants.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace atalaya::occi {

enum class Media { kPlain, kOcci, kUriList, kJson };

struct MediaType {
  Media media = Media::kPlain;
  std::string name = "text/plain";  ///< as it is named in Content-Type; JSON has two names
};

/// From Content-Type; "" for what gives none. Nothing: none of OCCI's (415).
std::optional<MediaType> media_of(std::string_view content_type);
/// From Accept (RFC 9110, with q); absent or `*/*`: text/plain. Nothing: none of OCCI's is accepted (406).
/// `uri_list`: is text/uri-list one of the answers?
std::optional<MediaType> negotiate(std::string_view accept, bool uri_list);
constexpr std::string_view kMediaTypes =
    "text/plain, text/occi, text/uri-list, application/occi+json, application/json";

/// `OCCI/1.1` in a User-Agent: is it a version that is spoken here? True without any.
bool speaks(std::string_view user_agent);

}  // namespace atalaya::occi
