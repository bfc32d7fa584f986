// Forms of names and addresses. Inside schema only.
#pragma once

#include <string>
#include <string_view>

namespace atalaya::schema {

/// A DNS name (underscores allowed, as in service names) or an IPv4 or IPv6 address.
bool is_host(std::string_view text);
/// `local@domain`, without a display name.
bool is_email(std::string_view text);
/// `#rrggbb`, or a name of the UI's palette.
bool is_colour(std::string_view text);
/// "accent, ok, …"
std::string colour_names();
/// Relative, without empty parts, `.` and `..`.
bool is_path_within(std::string_view text);

}  // namespace atalaya::schema
