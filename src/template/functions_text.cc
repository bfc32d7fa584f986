// Functions on texts and lists that Prometheus and Alertmanager add.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "base/letter_case.h"
#include "base/time.h"
#include "template/functions.h"

namespace atalaya::templates {
namespace json = boost::json;
namespace {

std::unexpected<Error> refuse(std::string message) { return fail(ErrorCode::kUnprocessable, std::move(message)); }

Value text_value(std::string_view text) { return Value(json::string(text)); }

Result<Value> to_upper(const CallContext&, const Arguments& a) { return text_value(atalaya::to_upper(print(*a[0]))); }

Result<Value> to_lower(const CallContext&, const Arguments& a) { return text_value(atalaya::to_lower(print(*a[0]))); }

Result<Value> title(const CallContext&, const Arguments& a) { return text_value(to_title(print(*a[0]))); }

Result<Value> trim_space(const CallContext&, const Arguments& a) {
  const auto text = print(*a[0]);
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string::npos) return text_value("");
  return text_value(std::string_view(text).substr(first, text.find_last_not_of(kSpace) - first + 1));
}

/// join separator list
Result<Value> join(const CallContext&, const Arguments& a) {
  if (a[1]->is_null()) return text_value("");
  const auto* list = a[1]->if_array();
  if (list == nullptr) return refuse(fmt::format("join: a list is wanted, not {}", type_name(*a[1])));
  std::string out;
  const auto separator = print(*a[0]);
  for (std::size_t i = 0; i < list->size(); ++i) {
    if (i > 0) out += separator;
    out += print((*list)[i]);
  }
  return text_value(out);
}

Result<std::unique_ptr<re2::RE2>> compile(const json::value& pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  auto regex = std::make_unique<re2::RE2>(print(pattern), options);
  if (!regex->ok()) return refuse(fmt::format("regular expression: {}", regex->error()));
  return regex;
}

/// match pattern text
Result<Value> match(const CallContext&, const Arguments& a) {
  AT_TRY(const auto regex, compile(*a[0]));
  return Value(re2::RE2::PartialMatch(print(*a[1]), *regex));
}

/// Go writes groups as $1, ${1} or ${name}; RE2 as \1.
Result<std::string> replacement(const std::string& go, const re2::RE2& regex) {
  std::string out;
  for (std::size_t i = 0; i < go.size(); ++i) {
    if (go[i] == '\\') {
      out += "\\\\";
      continue;
    }
    if (go[i] != '$' || i + 1 == go.size()) {
      out += go[i];
      continue;
    }
    if (go[i + 1] == '$') {
      out += '$';
      ++i;
      continue;
    }
    const bool braces = go[i + 1] == '{';
    const auto start = i + (braces ? 2 : 1);
    auto end = start;
    while (end < go.size() && (std::isalnum(static_cast<unsigned char>(go[end])) != 0 || go[end] == '_')) ++end;
    const auto name = go.substr(start, end - start);
    if (name.empty() || (braces && (end == go.size() || go[end] != '}'))) {
      out += '$';
      continue;
    }
    i = braces ? end : end - 1;
    int group = -1;
    if (std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; }) && name.size() < 3) {
      group = std::stoi(name);
    } else if (const auto it = regex.NamedCapturingGroups().find(name); it != regex.NamedCapturingGroups().end()) {
      group = it->second;
    }
    // An unknown group is empty, as in Go. RE2 knows \0 to \9 only.
    if (group < 0 || group > regex.NumberOfCapturingGroups()) continue;
    if (group > 9) return refuse("reReplaceAll: at most 9 groups");
    out += fmt::format("\\{}", group);
  }
  return out;
}

/// For Slack and those who copied it: only these three have a meaning in its texts.
Result<Value> slack_escape(const CallContext&, const Arguments& a) {
  std::string out;
  for (const char c : print(*a[0])) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      default: out += c;
    }
  }
  return text_value(out);
}

/// reReplaceAll pattern replacement text
Result<Value> re_replace_all(const CallContext&, const Arguments& a) {
  AT_TRY(const auto regex, compile(*a[0]));
  AT_TRY(const auto rewrite, replacement(print(*a[1]), *regex));
  auto text = print(*a[2]);
  re2::RE2::GlobalReplace(&text, *regex, rewrite);
  return text_value(text);
}

Result<Value> string_slice(const CallContext&, const Arguments& a) {
  json::array out;
  for (const auto& item : a) out.push_back(json::string(print(*item)));
  return Value(std::move(out));
}

Result<Value> args(const CallContext&, const Arguments& a) {
  json::object out;
  for (std::size_t i = 0; i < a.size(); ++i) out[fmt::format("arg{}", i)] = *a[i];
  return Value(std::move(out));
}

Result<Value> same(const CallContext&, const Arguments& a) { return a[0]; }

Result<Value> to_json(const CallContext&, const Arguments& a) { return text_value(json::serialize(*a[0])); }

Result<Value> sorted_pairs(const CallContext&, const Arguments& a) { return field(a[0], "SortedPairs", {}); }

struct HostPort {
  std::string_view host;
  std::string_view port;
};

/// As Go's net.SplitHostPort; nothing where it refuses.
std::optional<HostPort> split_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  HostPort out{text.substr(0, colon), text.substr(colon + 1)};
  const bool bracketed = text.starts_with('[');
  if (bracketed) {
    if (text.find(']') + 1 != colon) return std::nullopt;
    out.host = text.substr(1, colon - 2);
  } else if (out.host.find(':') != std::string_view::npos) {
    return std::nullopt;
  }
  if (out.host.find_first_of("[]") != std::string_view::npos ||
      out.port.find_first_of("[]") != std::string_view::npos) {
    return std::nullopt;
  }
  return out;
}

bool is_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 || inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

Result<Value> strip_port(const CallContext&, const Arguments& a) {
  const auto text = print(*a[0]);
  const auto parts = split_host_port(text);
  return text_value(parts ? parts->host : text);
}

Result<Value> strip_domain(const CallContext&, const Arguments& a) {
  const auto text = print(*a[0]);
  const auto parts = split_host_port(text).value_or(HostPort{text, ""});
  if (is_address(std::string(parts.host))) return text_value(text);
  const auto host = parts.host.substr(0, parts.host.find('.'));
  if (parts.port.empty()) return text_value(host);
  const bool brackets = host.find(':') != std::string_view::npos;
  return text_value(brackets ? fmt::format("[{}]:{}", host, parts.port) : fmt::format("{}:{}", host, parts.port));
}

Result<Value> external_url(const CallContext& context, const Arguments&) {
  return context.external_url == nullptr ? text_value("") : Value(*context.external_url);
}

Result<Value> path_prefix(const CallContext& context, const Arguments&) {
  if (context.external_url == nullptr) return text_value("");
  const auto url = print(*context.external_url);
  const auto scheme = url.find("://");
  const auto slash = url.find('/', scheme == std::string::npos ? 0 : scheme + 3);
  return text_value(slash == std::string::npos ? "" : std::string_view(url).substr(slash));
}

Result<Value> not_here(const CallContext&, const Arguments&) { return refuse("not available here"); }

constexpr std::array kTable = {
    Function{"toUpper", 1, 1, to_upper, false, true},
    Function{"toLower", 1, 1, to_lower, false, true},
    Function{"title", 1, 1, title, false, true},
    Function{"trimSpace", 1, 1, trim_space},
    Function{"join", 2, 2, join},
    Function{"match", 2, 2, match, false, true},
    Function{"reReplaceAll", 3, 3, re_replace_all, false, true},
    Function{"slackEscape", 1, 1, slack_escape},
    Function{"stringSlice", 0, -1, string_slice},
    Function{"args", 0, -1, args},
    Function{"safeHtml", 1, 1, same, false, true},
    Function{"safeUrl", 1, 1, same},
    Function{"toJson", 1, 1, to_json},
    Function{"sortedPairs", 1, 1, sorted_pairs},
    Function{"stripPort", 1, 1, strip_port, false, true},
    Function{"stripDomain", 1, 1, strip_domain, false, true},
    Function{"externalURL", 0, 0, external_url},
    Function{"pathPrefix", 0, 0, path_prefix},
    Function{"query", 1, 1, not_here},
};

}  // namespace

const Function* find_text_function(std::string_view name) {
  const auto it = std::ranges::find(kTable, name, &Function::name);
  return it == kTable.end() ? nullptr : &*it;
}

}  // namespace atalaya::templates
