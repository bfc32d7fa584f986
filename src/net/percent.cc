#include "net/percent.h"

#include <algorithm>

namespace atalaya::net {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::string keep_slashes_encoded(const std::string& segment) {
  std::string out;
  for (const char c : segment) {
    if (c == '/')
      out += "%2F";
    else
      out += c;
  }
  return out;
}

}  // namespace

Result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 1 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0)
        return fail(ErrorCode::kInvalidArgument, "'%' at byte " + std::to_string(i) + " without two hex digits");
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::vector<std::string_view> path_segments(std::string_view path) {
  std::vector<std::string_view> segments;
  if (!path.empty() && path.front() == '/') path.remove_prefix(1);
  while (true) {
    const auto slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

Result<NormalPath> normalise_path(std::string_view raw) {
  if (raw.empty() || raw.front() != '/') return fail(ErrorCode::kInvalidArgument, "path does not begin with '/'");
  struct Segment {
    std::string_view raw;
    std::string decoded;
  };
  std::vector<Segment> kept;
  const auto segments = path_segments(raw);
  bool directory = false;  // ends in a slash, or in a dot segment, which means one
  for (std::size_t i = 0; i < segments.size(); ++i) {
    AT_TRY(auto decoded, percent_decode(segments[i]));
    if (std::any_of(decoded.begin(), decoded.end(), is_control))
      return fail(ErrorCode::kInvalidArgument, "control character in the path");
    directory = decoded.empty() || decoded == "." || decoded == "..";
    if (decoded == "..") {
      if (kept.empty()) return fail(ErrorCode::kInvalidArgument, "'..' above the root of the path");
      kept.pop_back();
    } else if (!directory) {
      kept.push_back({segments[i], std::move(decoded)});
    }
  }
  NormalPath path;
  for (const auto& segment : kept) {
    path.encoded.append("/").append(segment.raw);
    path.decoded.append("/").append(keep_slashes_encoded(segment.decoded));
  }
  if (directory) {
    path.encoded += '/';
    path.decoded += '/';
  }
  return path;
}

}  // namespace atalaya::net
