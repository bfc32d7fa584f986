#include "config/options.h"

#include <cstdlib>

#include "base/check.h"

namespace atalaya::config {

std::string Options::command_text() const {
  std::string text;
  for (const auto& name : command_) text += (text.empty() ? "" : " ") + name;
  return text;
}

const Options::Entry& Options::entry(std::string_view name, OptionType type) const {
  const auto it = values_.find(name);
  AT_CHECK(it != values_.end());
  AT_CHECK(it->second.type == type);
  return it->second;
}

const std::string& Options::text(std::string_view name) const {
  return std::get<std::string>(entry(name, OptionType::kText).value);
}
std::int64_t Options::integer(std::string_view name) const {
  return std::get<std::int64_t>(entry(name, OptionType::kInteger).value);
}
double Options::number(std::string_view name) const { return std::get<double>(entry(name, OptionType::kNumber).value); }
bool Options::boolean(std::string_view name) const { return std::get<bool>(entry(name, OptionType::kBoolean).value); }
Duration Options::duration(std::string_view name) const {
  return std::get<Duration>(entry(name, OptionType::kDuration).value);
}
std::uint64_t Options::bytes(std::string_view name) const {
  return std::get<std::uint64_t>(entry(name, OptionType::kBytes).value);
}
const std::vector<std::string>& Options::list(std::string_view name) const {
  return std::get<std::vector<std::string>>(entry(name, OptionType::kList).value);
}

bool Options::has(std::string_view name) const {
  const auto it = values_.find(name);
  AT_CHECK(it != values_.end());
  return it->second.has;
}

bool Options::given(std::string_view name) const {
  const auto it = values_.find(name);
  AT_CHECK(it != values_.end());
  return it->second.given;
}

const std::vector<std::string>& Options::arguments(std::string_view name) const {
  const auto it = arguments_.find(name);
  AT_CHECK(it != arguments_.end());
  return it->second;
}

const std::string& Options::argument(std::string_view name) const {
  static const std::string kNone;
  const auto& all = arguments(name);
  return all.empty() ? kNone : all.front();
}

Environment system_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (!value) return std::nullopt;
    return value;
  };
}

std::vector<std::string> arguments_of(int argc, const char* const* argv) {
  return argc > 1 ? std::vector<std::string>(argv + 1, argv + argc) : std::vector<std::string>();
}

std::string environment_name(std::string_view option) {
  std::string name = "ATALAYA_";
  for (const char c : option) {
    name += c == '-' || c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return name;
}

}  // namespace atalaya::config
