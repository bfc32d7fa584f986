#include "occi/media.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace atalaya::occi {
namespace {

struct Row {
  std::string_view name;
  Media media;
};
constexpr std::array kRows{
    Row{"text/plain", Media::kPlain},           Row{"text/occi", Media::kOcci},
    Row{"application/occi+json", Media::kJson}, Row{"application/json", Media::kJson},
    Row{"text/uri-list", Media::kUriList},
};

std::string lower(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' && c != '\t') out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return out;
}

double quality(std::string_view parameters) {
  const auto at = parameters.find(";q=");
  if (at == std::string_view::npos) return 1;
  double out = 0;
  const auto text = parameters.substr(at + 3, parameters.find(';', at + 1) - at - 3);
  const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
  return read.ec == std::errc{} ? out : 0;
}

}  // namespace

std::optional<MediaType> media_of(std::string_view content_type) {
  const auto given = lower(content_type.substr(0, content_type.find(';')));
  for (const auto& row : kRows) {
    if (row.name == given) return MediaType{row.media, std::string(row.name)};
  }
  return std::nullopt;
}

std::optional<MediaType> negotiate(std::string_view accept, bool uri_list) {
  if (lower(accept).empty()) return MediaType{};
  std::array<double, kRows.size()> qualities{};
  std::array<int, kRows.size()> exactness{};
  while (!accept.empty()) {
    const auto comma = accept.find(',');
    const auto one = lower(accept.substr(0, comma));
    accept.remove_prefix(comma == std::string_view::npos ? accept.size() : comma + 1);
    const auto end = std::min(one.find(';'), one.size());
    const auto range = std::string_view(one).substr(0, end);
    const double q = quality(std::string_view(one).substr(end));
    for (std::size_t i = 0; i < kRows.size(); ++i) {
      const auto kind = kRows[i].name.substr(0, kRows[i].name.find('/') + 1);
      const int exact = range == kRows[i].name                                               ? 3
                        : range.ends_with("/*") && range.substr(0, range.size() - 1) == kind ? 2
                        : range == "*/*"                                                     ? 1
                                                                                             : 0;
      if (exact == 0 || exact < exactness[i]) continue;
      exactness[i] = exact;
      qualities[i] = q;
    }
  }
  std::optional<MediaType> out;
  double best = 0;
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (kRows[i].media == Media::kUriList && !uri_list) continue;
    if (qualities[i] <= best) continue;
    best = qualities[i];
    out = MediaType{kRows[i].media, std::string(kRows[i].name)};
  }
  return out;
}

bool speaks(std::string_view user_agent) {
  const auto at = user_agent.find("OCCI/");
  if (at == std::string_view::npos) return true;
  const auto text = user_agent.substr(at + 5);
  unsigned major = 0, minor = 0;
  auto read = std::from_chars(text.data(), text.data() + text.size(), major);
  if (read.ec != std::errc{}) return true;
  if (read.ptr != text.data() + text.size() && *read.ptr == '.')
    std::from_chars(read.ptr + 1, text.data() + text.size(), minor);
  return major < 1 || (major == 1 && minor <= 2);
}

}  // namespace atalaya::occi
