#include "tsdb/lost_tenants.h"

#include <fmt/format.h>

#include "io/checksum.h"

namespace atalaya::tsdb {
namespace {

constexpr std::uint64_t kMostBytes = 16 << 20;

std::string place_of(const std::string& set_aside) { return set_aside + std::string(kLostTenants); }

std::string last_line(std::string_view lines) { return fmt::format("crc32c {:08x}\n", io::crc32c(lines)); }

}  // namespace

Status write_lost_tenants(io::FileSystem& files, const std::string& set_aside, const std::vector<TenantId>& lost) {
  std::string text;
  for (const auto& tenant : lost) text += tenant.value() + "\n";
  text += last_line(text);
  return io::write_file_atomically(files, place_of(set_aside), text);
}

std::vector<TenantId> read_lost_tenants(io::FileSystem& files, const std::string& set_aside) {
  std::vector<TenantId> out;
  if (!files.exists(place_of(set_aside))) return out;
  const auto text = io::read_file(files, place_of(set_aside), kMostBytes);
  const auto size = last_line("").size();
  if (!text || text->size() < size) return out;
  std::string_view lines(text->data(), text->size() - size);
  if (std::string_view(*text).substr(lines.size()) != last_line(lines)) return out;
  while (!lines.empty()) {
    const auto end = lines.find('\n');
    if (end == std::string_view::npos) return {};
    out.emplace_back(std::string(lines.substr(0, end)));
    lines.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace atalaya::tsdb
