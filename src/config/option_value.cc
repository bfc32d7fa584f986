#include "config/option_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "config/sizes.h"
#include "config/suggest.h"

namespace atalaya::config {
namespace {

std::unexpected<Error> wrong(const Option& option, std::string_view text, std::string_view wanted, std::string remedy) {
  if (option.secret) return fail(ErrorCode::kInvalidArgument, fmt::format("is not {}", wanted), std::move(remedy));
  return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is not {}", text.substr(0, 64), wanted),
              std::move(remedy));
}

template <typename T>
bool whole(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

Result<OptionValue> parse_integer(const Option& option, std::string_view text) {
  std::int64_t value = 0;
  if (!whole(text, value)) return wrong(option, text, "a whole number", {});
  if (option.at_least && value < *option.at_least) {
    return wrong(option, text, "large enough", fmt::format("at least {}", *option.at_least));
  }
  if (option.at_most && value > *option.at_most) {
    return wrong(option, text, "small enough", fmt::format("at most {}", *option.at_most));
  }
  return value;
}

Result<OptionValue> parse_boolean(const Option& option, std::string_view text) {
  for (const auto word : {"true", "yes", "on", "1"}) {
    if (text == word) return true;
  }
  for (const auto word : {"false", "no", "off", "0"}) {
    if (text == word) return false;
  }
  return wrong(option, text, "true or false", "write true or false");
}

Result<OptionValue> parse_text(const Option& option, const std::string& text) {
  if (option.choices.empty() || std::find(option.choices.begin(), option.choices.end(), text) != option.choices.end()) {
    return text;
  }
  return wrong(option, text, "one of its values", suggestion(text, option.choices));
}

std::vector<std::string> split(const std::vector<std::string>& texts) {
  std::vector<std::string> items;
  for (const auto& text : texts) {
    std::size_t begin = 0;
    while (begin <= text.size()) {
      const auto end = std::min(text.find(',', begin), text.size());
      if (end > begin) items.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  return items;
}

}  // namespace

Result<OptionValue> parse_option(const Option& option, const std::vector<std::string>& texts) {
  AT_CHECK(!texts.empty());
  const auto& text = texts.back();
  switch (option.type) {
    case OptionType::kText: return parse_text(option, text);
    case OptionType::kInteger: return parse_integer(option, text);
    case OptionType::kNumber: {
      double value = 0;
      if (whole(text, value)) return value;
      return wrong(option, text, "a number", {});
    }
    case OptionType::kBoolean: return parse_boolean(option, text);
    case OptionType::kDuration: {
      AT_TRY(auto value, parse_duration(text));
      return value;
    }
    case OptionType::kBytes: {
      AT_TRY(auto value, parse_bytes(text));
      return value;
    }
    case OptionType::kList: {
      auto items = split(texts);
      for (const auto& item : items) AT_TRY(parse_text(option, item));
      return items;
    }
  }
  AT_CHECK(false);
}

OptionValue empty_value(OptionType type) {
  switch (type) {
    case OptionType::kText: return std::string();
    case OptionType::kInteger: return std::int64_t{0};
    case OptionType::kNumber: return 0.0;
    case OptionType::kBoolean: return false;
    case OptionType::kDuration: return Duration{0};
    case OptionType::kBytes: return std::uint64_t{0};
    case OptionType::kList: return std::vector<std::string>();
  }
  AT_CHECK(false);
}

std::string_view type_name(OptionType type) {
  switch (type) {
    case OptionType::kText: return "text";
    case OptionType::kInteger: return "whole number";
    case OptionType::kNumber: return "number";
    case OptionType::kBoolean: return "boolean";
    case OptionType::kDuration: return "duration";
    case OptionType::kBytes: return "bytes";
    case OptionType::kList: return "list";
  }
  AT_CHECK(false);
}

}  // namespace atalaya::config
