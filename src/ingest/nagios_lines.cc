#include "ingest/nagios_lines.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "base/bytes.h"
#include "base/utf8.h"

namespace atalaya::ingest {
namespace {

namespace json = boost::json;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t out = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

/// The part before the next ';', which is taken with it.
std::string_view take_part(std::string_view& left) {
  const auto end = left.find(';');
  const auto out = left.substr(0, end);
  left.remove_prefix(end == std::string_view::npos ? left.size() : end + 1);
  return out;
}

/// A plug-in writes bytes of whatever encoding.
std::string readable(std::string_view text) {
  std::string out(text.substr(0, kMaxCheckOutput));
  if (is_utf8(out)) return out;
  for (auto& c : out) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return out;
}

Result<CheckResult> checked(std::string_view host, std::string_view service, bool of_service, std::string_view state,
                            std::string_view output, const std::string& where) {
  const auto wrong = [&](std::string what) { return fail(ErrorCode::kInvalidArgument, where + ": " + what); };
  if (host.empty() || host.size() > kMaxCheckName || !is_utf8(host)) return wrong("the name of the host is none");
  if (of_service && (service.empty() || service.size() > kMaxCheckName || !is_utf8(service))) {
    return wrong("the name of the service is none");
  }
  const auto number = whole(state);
  const int most = of_service ? 3 : 2;
  if (!number || *number < 0 || *number > most) {
    return wrong(
        fmt::format("'{}' is no state of a {}: 0 to {}", state.substr(0, 40), of_service ? "service" : "host", most));
  }
  return CheckResult{std::string(host), of_service ? std::string(service) : "", static_cast<int>(*number),
                     readable(output), std::nullopt};
}

void add(CheckResults& out, Result<CheckResult> one) {
  if (one) {
    out.results.push_back(std::move(*one));
  } else {
    out.errors.push_back(std::move(one).error());
  }
}

Result<CheckResult> read_command(std::string_view line, const std::string& where) {
  std::optional<Time> at;
  if (line.starts_with('[')) {
    const auto end = line.find(']');
    const auto seconds = end == std::string_view::npos ? std::nullopt : whole(line.substr(1, end - 1));
    if (!seconds || *seconds < 0 || *seconds > 253'402'300'799) {
      return fail(ErrorCode::kInvalidArgument, where + ": [] holds no seconds since 1970");
    }
    at = from_ms(*seconds * 1000);
    line = trimmed(line.substr(end + 1));
  }
  const auto command = take_part(line);
  const bool of_service = command == "PROCESS_SERVICE_CHECK_RESULT";
  if (!of_service && command != "PROCESS_HOST_CHECK_RESULT") {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{}: the command '{}' is not taken", where, command.substr(0, 100)),
                "send PROCESS_SERVICE_CHECK_RESULT or PROCESS_HOST_CHECK_RESULT");
  }
  const auto host = trimmed(take_part(line));
  const auto service = of_service ? trimmed(take_part(line)) : std::string_view();
  const auto state = trimmed(take_part(line));
  std::string output;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool line_end = line.substr(i).starts_with("\\n");
    output += line_end ? '\n' : line[i];
    i += line_end ? 1 : 0;
  }
  AT_TRY(auto out, checked(host, service, of_service, state, output, where));
  out.at = at;
  return out;
}

/// The little of XML that NRDP's clients write: elements, attributes, text, entities, CDATA, comments.
class Xml {
 public:
  explicit Xml(std::string_view text) : left_(text), size_(text.size()) {}

  struct Piece {
    enum class Kind { kOpen, kClose, kText, kEnd } kind = Kind::kEnd;
    std::string name;  ///< of an element; or the text
    std::map<std::string, std::string> attributes;
    bool empty = false;  ///< <x/>: it is closed, too
  };

  Result<Piece> next() {
    for (;;) {
      if (left_.empty()) return Piece{};
      if (left_.starts_with("<!--")) {
        AT_TRY(past("-->"));
      } else if (left_.starts_with("<?")) {
        AT_TRY(past("?>"));
      } else if (left_.starts_with("<![CDATA[")) {
        left_.remove_prefix(9);
        const auto end = left_.find("]]>");
        if (end == std::string_view::npos) return wrong("a CDATA section has no end");
        Piece out{Piece::Kind::kText, std::string(left_.substr(0, end)), {}};
        left_.remove_prefix(end + 3);
        return out;
      } else if (left_.starts_with("<!")) {
        return wrong("document types are not taken");
      } else {
        break;
      }
    }
    return left_.starts_with('<') ? tag() : text();
  }

 private:
  std::unexpected<Error> wrong(std::string_view what) const {
    return fail(ErrorCode::kInvalidArgument, fmt::format("XML, byte {}: {}", size_ - left_.size(), what));
  }
  Status past(std::string_view end) {
    const auto at = left_.find(end);
    if (at == std::string_view::npos) return wrong(fmt::format("'{}' is missing", end));
    left_.remove_prefix(at + end.size());
    return {};
  }
  Result<Piece> text() {
    const auto end = std::min(left_.find('<'), left_.size());
    AT_TRY(auto unescaped, plain(left_.substr(0, end)));
    left_.remove_prefix(end);
    return Piece{Piece::Kind::kText, std::move(unescaped), {}};
  }
  Result<Piece> tag() {
    const auto end = left_.find('>');
    if (end == std::string_view::npos) return wrong("an element has no '>'");
    auto inner = left_.substr(1, end - 1);
    Piece out;
    out.kind = inner.starts_with('/') ? Piece::Kind::kClose : Piece::Kind::kOpen;
    if (inner.starts_with('/')) inner.remove_prefix(1);
    if (inner.ends_with('/')) {
      out.empty = true;
      inner.remove_suffix(1);
    }
    const auto name_end = std::min(inner.find_first_of(" \t\r\n"), inner.size());
    out.name = std::string(inner.substr(0, name_end));
    if (out.name.empty()) return wrong("an element has no name");
    inner = trimmed(inner.substr(name_end));
    while (!inner.empty()) {
      const auto equals = inner.find('=');
      if (equals == std::string_view::npos || equals + 1 >= inner.size()) return wrong("an attribute has no value");
      const char quote = inner[equals + 1];
      const auto close = quote == '"' || quote == '\'' ? inner.find(quote, equals + 2) : std::string_view::npos;
      if (close == std::string_view::npos) return wrong("an attribute's value has no quotes");
      AT_TRY(auto value, plain(inner.substr(equals + 2, close - equals - 2)));
      out.attributes[std::string(trimmed(inner.substr(0, equals)))] = std::move(value);
      inner = trimmed(inner.substr(close + 1));
    }
    left_.remove_prefix(end + 1);
    return out;
  }
  Result<std::string> plain(std::string_view escaped) const {
    std::string out;
    while (!escaped.empty()) {
      const auto at = std::min(escaped.find('&'), escaped.size());
      out += escaped.substr(0, at);
      escaped.remove_prefix(at);
      if (escaped.empty()) break;
      const auto end = escaped.find(';');
      if (end == std::string_view::npos) return wrong("'&' begins no entity");
      AT_TRY(const auto meant, entity(escaped.substr(1, end - 1)));
      out += meant;
      escaped.remove_prefix(end + 1);
    }
    return out;
  }
  Result<std::string> entity(std::string_view name) const {
    static const std::map<std::string_view, std::string> kNamed{
        {"lt", "<"}, {"gt", ">"}, {"amp", "&"}, {"quot", "\""}, {"apos", "'"}};
    if (const auto found = kNamed.find(name); found != kNamed.end()) return found->second;
    if (!name.starts_with('#')) return wrong(fmt::format("the entity '{}' is unknown", name.substr(0, 20)));
    name.remove_prefix(1);
    const int base = name.starts_with('x') ? 16 : 10;
    if (base == 16) name.remove_prefix(1);
    std::uint32_t code = 0;
    const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), code, base);
    if (failed != std::errc{} || end != name.data() + name.size() || code == 0 || code > 0x10ffff) {
      return wrong("a character's number is none");
    }
    std::string out;
    append_utf8(out, code);
    return out;
  }

  std::string_view left_;
  std::size_t size_;
};

using Texts = std::map<std::string, std::string>;

void add_result(CheckResults& out, const Texts& texts, const std::string& type) {
  const auto where = fmt::format("checkresults[{}]", out.results.size() + out.errors.size());
  const auto text = [&](const char* key) {
    const auto found = texts.find(key);
    return found == texts.end() ? std::string_view() : trimmed(found->second);
  };
  const bool of_service = type != "host" && (type == "service" || !text("servicename").empty());
  add(out, checked(text("hostname"), text("servicename"), of_service, text("state"), text("output"), where));
}

constexpr std::array<std::pair<std::string_view, std::pair<double, std::string_view>>, 12> kUnits{{
    {"s", {1, "seconds"}},
    {"ms", {1e-3, "seconds"}},
    {"us", {1e-6, "seconds"}},
    {"ns", {1e-9, "seconds"}},
    {"%", {1, "percent"}},
    {"c", {1, "counter"}},
    {"B", {1, "bytes"}},
    {"KB", {1024.0, "bytes"}},
    {"kB", {1024.0, "bytes"}},
    {"MB", {1048576.0, "bytes"}},
    {"GB", {1073741824.0, "bytes"}},
    {"TB", {1099511627776.0, "bytes"}},
}};

/// One `'label'=value[unit];…` from the front; nothing for what is none.
std::optional<Performance> take_performance(std::string_view& left) {
  Performance out;
  if (left.starts_with('\'')) {
    std::size_t at = 1;
    for (; at < left.size(); ++at) {
      if (left[at] == '\'' && left.substr(at + 1).starts_with('\''))
        ++at;
      else if (left[at] == '\'')
        break;
      out.label += left[at];
    }
    left.remove_prefix(std::min(at + 1, left.size()));
  } else {
    const auto end = std::min(left.find_first_of("= \t\r\n"), left.size());
    out.label = std::string(left.substr(0, end));
    left.remove_prefix(end);
  }
  const auto end = std::min(left.find_first_of(" \t\r\n"), left.size());
  auto rest = left.substr(0, end);
  left.remove_prefix(end);
  if (!rest.starts_with('=') || out.label.empty()) return std::nullopt;
  rest.remove_prefix(1);
  rest = rest.substr(0, rest.find(';'));
  const auto [after, failed] = std::from_chars(rest.data(), rest.data() + rest.size(), out.value);
  if (failed != std::errc{}) return std::nullopt;
  out.unit = std::string(after, rest.data() + rest.size());
  for (const auto& [written, meant] : kUnits) {
    if (out.unit != written) continue;
    out.value *= meant.first;
    out.unit = meant.second;
    break;
  }
  return out;
}

void add_performance(std::string_view text, std::vector<Performance>& out) {
  for (text = trimmed(text); !text.empty(); text = trimmed(text)) {
    if (auto one = take_performance(text)) out.push_back(std::move(*one));
  }
}

}  // namespace

CheckResults read_check_commands(std::string_view lines) {
  CheckResults out;
  for (std::size_t number = 1; !lines.empty(); ++number) {
    const auto end = std::min(lines.find('\n'), lines.size());
    const auto line = trimmed(lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
    if (line.empty()) continue;
    const auto where = fmt::format("line {}", number);
    if (out.results.size() >= kMaxCheckResults) {
      out.errors.push_back(
          {ErrorCode::kInvalidArgument, fmt::format("{}: more than {} results", where, kMaxCheckResults), {}, {}});
      break;
    }
    add(out, read_command(line, where));
  }
  return out;
}

Result<CheckResults> read_nrdp_xml(std::string_view text) {
  Xml xml(text);
  CheckResults out;
  bool within = false;
  bool root = false;
  std::string type;
  std::string element;
  Texts texts;
  for (;;) {
    AT_TRY(const auto piece, xml.next());
    using Kind = Xml::Piece::Kind;
    if (piece.kind == Kind::kEnd) break;
    if (piece.kind == Kind::kText) {
      if (within && !element.empty()) texts[element] += piece.name;
    } else if (piece.name == "checkresults") {
      root = true;
    } else if (piece.name == "checkresult") {
      if (piece.kind == Kind::kOpen) {
        if (out.results.size() >= kMaxCheckResults) {
          return fail(ErrorCode::kInvalidArgument, fmt::format("more than {} results", kMaxCheckResults));
        }
        const auto found = piece.attributes.find("type");
        type = found == piece.attributes.end() ? "" : found->second;
        texts.clear();
        within = true;
      }
      if (within && (piece.kind == Kind::kClose || piece.empty)) {
        add_result(out, texts, type);
        within = false;
      }
      element.clear();
    } else {
      element = piece.kind == Kind::kOpen && !piece.empty ? piece.name : "";
    }
  }
  if (!root) return fail(ErrorCode::kInvalidArgument, "the XML holds no <checkresults>");
  if (within) return fail(ErrorCode::kInvalidArgument, "the XML ends within a <checkresult>");
  return out;
}

Result<CheckResults> read_nrdp_json(std::string_view text) {
  json::parse_options options;
  options.max_depth = 8;
  boost::system::error_code failed;
  const auto value = json::parse(text, failed, {}, options);
  if (failed) return fail(ErrorCode::kInvalidArgument, fmt::format("no JSON: {}", failed.message()));
  const auto* object = value.if_object();
  const auto* list = object != nullptr ? object->if_contains("checkresults") : nullptr;
  if (list == nullptr || !list->is_array()) {
    return fail(ErrorCode::kInvalidArgument, "the JSON holds no list \"checkresults\"");
  }
  if (list->get_array().size() > kMaxCheckResults) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("more than {} results", kMaxCheckResults));
  }
  CheckResults out;
  for (const auto& one : list->get_array()) {
    Texts texts;
    std::string type;
    if (one.is_object()) {
      for (const auto& [key, field] : one.get_object()) {
        if (field.is_string()) texts[std::string(key)] = std::string(field.get_string());
        if (field.is_int64()) texts[std::string(key)] = std::to_string(field.get_int64());
        if (key != "checkresult" || !field.is_object()) continue;
        const auto* named = field.get_object().if_contains("type");
        if (named != nullptr && named->is_string()) type = std::string(named->get_string());
      }
    }
    add_result(out, texts, type);
  }
  return out;
}

PluginOutput read_plugin_output(std::string_view output) {
  PluginOutput out;
  const auto line_end = std::min(output.find('\n'), output.size());
  const auto first = output.substr(0, line_end);
  const auto bar = std::min(first.find('|'), first.size());
  out.text = std::string(trimmed(first.substr(0, bar)));
  if (bar < first.size()) add_performance(first.substr(bar + 1), out.performance);
  const auto rest = output.substr(std::min(line_end + 1, output.size()));
  const auto second = std::min(rest.find('|'), rest.size());
  out.more = std::string(trimmed(rest.substr(0, second)));
  if (second < rest.size()) add_performance(rest.substr(second + 1), out.performance);
  return out;
}

}  // namespace atalaya::ingest
