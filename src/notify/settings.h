// A channel's settings, read with every mistake told.
#pragma once

#include <boost/json.hpp>

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "notify/channel.h"

namespace atalaya::notify {

/// Thread-compatible; `config` outlives it.
class Settings {
 public:
  explicit Settings(const ChannelConfig& config) : config_(config) {}

  /// A string, number or boolean as text; nullopt when absent.
  std::optional<std::string> text(std::string_view key);
  std::string required(std::string_view key);
  /// A list of texts, or one text.
  std::vector<std::string> list(std::string_view key);
  /// An object of texts, or nothing.
  void map(std::string_view key);
  /// A text or an object of texts, or nothing.
  void any(std::string_view key);
  void complain(std::string_view key, std::string_view message, std::string remedy = {});
  /// Unknown keys become errors; then the first error, if there was one.
  Status finish();

 private:
  const boost::json::value* find(std::string_view key);
  const ChannelConfig& config_;
  std::set<std::string, std::less<>> known_;
  std::optional<Error> error_;
};

}  // namespace atalaya::notify
