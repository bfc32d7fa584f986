#include "template/html_reader.h"

#include <fmt/format.h>

#include <utility>

namespace atalaya::templates {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_name(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::unexpected<Error> refuse(std::string message, std::string remedy) {
  return fail(ErrorCode::kInvalidArgument, std::move(message), std::move(remedy));
}

std::string show(char c) {
  return c > 0x20 && c < 0x7f ? fmt::format("'{}'", c) : fmt::format("character {}", static_cast<unsigned char>(c));
}

bool is_safe_scheme(const HtmlContext& at, std::string_view scheme) {
  // A picture within the address runs nothing; an SVG in <img> does not either.
  return scheme == "http" || scheme == "https" || scheme == "mailto" || (scheme == "data" && at.element == "img");
}

constexpr std::size_t kMaxName = 64;

}  // namespace

Status HtmlReader::take(char c) {
  switch (now_.state) {
    case State::kText:
      if (c == '<') now_.state = State::kTagOpen;
      return {};
    case State::kTagOpen: return take_tag_open(c);
    case State::kMarkup: return take_markup(c);
    case State::kComment: return take_comment(c);
    case State::kTagName:
    case State::kEndTagName: return take_name(c);
    case State::kTag: return take_tag(c);
    case State::kAttributeName: return take_attribute_name(c);
    case State::kAfterName:
      if (is_space(c)) return {};
      if (c != '=') {
        begin_tag(false);
        return take_tag(c);
      }
      now_.state = State::kBeforeValue;
      return {};
    case State::kBeforeValue: return take_before_value(c);
    case State::kValue: return take_value(c);
    case State::kSlash:
      if (c != '>') return refuse(fmt::format("{} behind '/' in a tag", show(c)), "write '/>', or leave the '/' out");
      return end_tag();
    case State::kEndTag: return take_end_tag(c);
    case State::kStyle: return take_style(c);
  }
  return {};
}

Status HtmlReader::take_tag_open(char c) {
  half_.clear();
  if (is_letter(c)) {
    half_ += lower(c);
    now_.state = State::kTagName;
  } else if (c == '/') {
    now_.state = State::kEndTagName;
  } else if (c == '!') {
    now_.state = State::kMarkup;
  } else {
    return refuse("a '<' that begins no tag", "write &lt;");
  }
  return {};
}

Status HtmlReader::take_markup(char c) {
  if (c != '-') return refuse("'<!' begins no comment", "write only what stands within the body of the page");
  half_ += c;
  if (half_.size() < 2) return {};
  half_.clear();
  now_.state = State::kComment;
  return {};
}

/// Comments end where every browser ends them: `--` within is refused, as is `<!-->`.
Status HtmlReader::take_comment(char c) {
  if (c == '>' && half_.ends_with("--")) {
    now_.state = State::kText;
    return {};
  }
  const bool dashes = half_.ends_with("--") && c != '-';
  if (dashes || (c == '>' && half_.find_first_not_of('-') == std::string::npos)) {
    return refuse("a comment that browsers end in different places", "leave '--' and a leading '>' out of it");
  }
  half_ += c;
  // Only its beginning and its end matter.
  if (half_.size() > 8) half_.erase(1, half_.size() - 4);
  return {};
}

Status HtmlReader::take_name(char c) {
  const bool ends = now_.state == State::kEndTagName;
  if (is_name(c) && (is_letter(c) || !half_.empty())) {
    half_ += lower(c);
    if (half_.size() > kMaxName) return refuse("the name of a tag is too long", "use an element of HTML");
    return {};
  }
  if (!is_space(c) && c != '>' && (c != '/' || ends)) {
    return refuse(fmt::format("{} in the name of a tag", show(c)), "write &lt; for a '<' that begins no tag");
  }
  AT_TRY(check_element(half_));
  if (ends) {
    now_.state = State::kEndTag;
    return take_end_tag(c);
  }
  now_.element = std::exchange(half_, {});
  now_.linked = false;
  begin_tag(true);
  return take_tag(c);
}

void HtmlReader::begin_tag(bool glued) {
  now_.state = State::kTag;
  now_.glued = glued;
  now_.attribute.clear();
  now_.value.clear();
  now_.quote = 0;
  now_.kind = AttributeKind::kPlain;
  now_.url = Url::kStart;
  now_.mixed = false;
}

Status HtmlReader::take_tag(char c) {
  if (is_space(c)) {
    now_.glued = false;
    return {};
  }
  if (c == '>') return end_tag();
  if (c == '/') {
    now_.state = State::kSlash;
    return {};
  }
  if (!is_letter(c)) return refuse(fmt::format("{} in a tag", show(c)), "write attributes as name=\"value\"");
  if (now_.glued) {
    return refuse("names and values in a tag must be apart",
                  "put a space before the attribute, and write its name in one piece");
  }
  half_ = lower(c);
  now_.state = State::kAttributeName;
  return {};
}

Status HtmlReader::end_tag() {
  if (now_.element == "link" && !now_.linked) {
    return refuse("<link> is for style sheets only", "write <link rel=\"stylesheet\" href=\"…\">");
  }
  const bool style = now_.element == "style";
  now_ = HtmlContext{};
  if (style) now_.state = State::kStyle;
  half_.clear();
  return {};
}

Status HtmlReader::end_attribute_name() {
  AT_TRY(now_.kind, check_attribute(half_));
  now_.attribute = std::exchange(half_, {});
  return {};
}

Status HtmlReader::take_attribute_name(char c) {
  if (is_name(c)) {
    half_ += lower(c);
    if (half_.size() > kMaxName) return refuse("the name of an attribute is too long", "use an attribute of HTML");
    return {};
  }
  AT_TRY(end_attribute_name());
  now_.state = State::kAfterName;
  return take(c);
}

Status HtmlReader::take_before_value(char c) {
  if (is_space(c)) return {};
  if (c != '"' && c != '\'') {
    return refuse(fmt::format("the value of {} has no quotes", now_.attribute), "write the value within \"\"");
  }
  now_.quote = c;
  now_.state = State::kValue;
  return {};
}

Status HtmlReader::end_value() {
  if (now_.element == "link" && now_.attribute == "rel") {
    if (now_.value != "stylesheet") {
      return refuse("<link> is for style sheets only", "write <link rel=\"stylesheet\" href=\"…\">");
    }
    now_.linked = true;
  }
  begin_tag(true);
  return {};
}

Status HtmlReader::take_value(char c) {
  if (c == now_.quote) return end_value();
  if (now_.kind == AttributeKind::kUrl) return take_address(c);
  if (now_.element == "link" && now_.attribute == "rel") {
    now_.value += c;
    if (now_.value.size() > kMaxName) return refuse("rel=\"\" is too long", "write rel=\"stylesheet\"");
  }
  return {};
}

Status HtmlReader::take_address(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte <= 0x20 || c == '\\' || c == '<' || c == '>') {
    return refuse(fmt::format("{} in an address", show(c)), "write it percent-encoded, a space as %20");
  }
  switch (now_.url) {
    case Url::kSlash: now_.url = c == '?' || c == '#' ? Url::kStrict : Url::kPath; return {};
    case Url::kPath:
      if (c == '?' || c == '#') now_.url = Url::kStrict;
      return {};
    case Url::kStrict: return {};
    case Url::kStart:
    case Url::kOpen: break;
  }
  switch (c) {
    case '/':
      now_.url = now_.url == Url::kStart ? Url::kSlash : Url::kPath;
      now_.value.clear();
      now_.mixed = false;
      return {};
    case '?':
    case '#':
      now_.url = Url::kStrict;
      now_.value.clear();
      now_.mixed = false;
      return {};
    case ':':
      if (now_.mixed || !is_safe_scheme(now_, now_.value)) {
        return refuse(now_.mixed ? std::string("what stands before the ':' of an address is not known")
                                 : fmt::format("addresses with the scheme {}: are not allowed", now_.value),
                      "write http:, https: or mailto: yourself, or an address without a scheme");
      }
      // Actions behind data: would choose what it is.
      if (now_.value == "data") now_.kind = AttributeKind::kLiteral;
      now_.url = Url::kPath;
      now_.value.clear();
      return {};
    case '&':
      return refuse("a character reference at the beginning of an address",
                    "write the address as it is up to its first '/', '?' or '#'");
    default:
      now_.url = Url::kOpen;
      if (!now_.mixed && now_.value.size() < kMaxName) now_.value += lower(c);
      return {};
  }
}

Status HtmlReader::take_end_tag(char c) {
  if (is_space(c)) return {};
  if (c != '>') return refuse(fmt::format("{} in an end tag", show(c)), "write </name>");
  now_ = HtmlContext{};
  half_.clear();
  return {};
}

Status HtmlReader::take_style(char c) {
  constexpr std::string_view kEnd = "</style";
  if (half_.empty() && c != '<') return {};
  half_ += lower(c);
  if (half_ == kEnd) {
    half_.clear();
    now_.state = State::kEndTag;
  } else if (!kEnd.starts_with(half_)) {
    if (half_.starts_with("</")) return refuse("'</' within <style>", "end the style with </style>");
    half_ = c == '<' ? "<" : "";
  }
  return {};
}

Status HtmlReader::settle() {
  switch (now_.state) {
    case State::kText:
    case State::kTag:
    case State::kValue: return {};
    case State::kTagName:
      AT_TRY(check_element(half_));
      now_.element = std::exchange(half_, {});
      now_.linked = false;
      begin_tag(true);
      return {};
    case State::kAttributeName:
      AT_TRY(end_attribute_name());
      begin_tag(true);
      return {};
    case State::kAfterName: begin_tag(false); return {};
    case State::kTagOpen:
    case State::kEndTagName:
    case State::kEndTag:
    case State::kSlash:
      return refuse("a tag is not in one piece",
                    "write the tag's name as text; choose between whole tags with {{ if }}");
    case State::kMarkup:
    case State::kComment: return refuse("a {{ }} within a comment", "write {{/* … */}} for what nobody should see");
    case State::kStyle: return refuse("a {{ }} within <style>", "choose between classes: class=\"{{ … }}\"");
    case State::kBeforeValue:
      return refuse(fmt::format("the value of {} has no quotes", now_.attribute), "write the value within \"\"");
  }
  return {};
}

Result<Escape> HtmlReader::action() {
  if (now_.state == State::kText) return Escape::kText;
  if (now_.state == State::kTag) {
    return refuse("an action where the name of a tag or of an attribute stands",
                  "write the name as text, {{ if … }}name=\"value\"{{ end }}");
  }
  // Data must not choose style sheets.
  switch (now_.element == "link" ? AttributeKind::kLiteral : now_.kind) {
    case AttributeKind::kPlain: return Escape::kAttribute;
    case AttributeKind::kLiteral:
      return refuse(fmt::format("an action in {}=\"\"", now_.attribute), "choose between literal values with {{ if }}");
    case AttributeKind::kUrl: break;
  }
  switch (now_.url) {
    case Url::kStart:
      now_.url = Url::kOpen;
      now_.mixed = true;
      return Escape::kUrl;
    case Url::kOpen:
      now_.mixed = true;
      now_.value.clear();
      return Escape::kUrlComponent;
    case Url::kSlash: now_.url = Url::kPath; return Escape::kUrlComponent;
    case Url::kPath: return Escape::kUrlPath;
    case Url::kStrict: return Escape::kUrlComponent;
  }
  return Escape::kUrlComponent;
}

std::optional<HtmlContext> join(const HtmlContext& a, const HtmlContext& b) {
  auto both = a;
  both.glued = a.glued || b.glued;
  auto other = b;
  other.glued = both.glued;
  if (both == other) return both;
  // Only addresses may have come to different points.
  using Url = HtmlContext::Url;
  other.url = a.url;
  other.mixed = a.mixed;
  if (a.kind == AttributeKind::kUrl) other.value = a.value;
  if (!(both == other) || a.kind != AttributeKind::kUrl || a.url == Url::kStart || b.url == Url::kStart) {
    return std::nullopt;
  }
  const bool open = a.url == Url::kOpen || b.url == Url::kOpen;
  both.url = open ? Url::kOpen : Url::kStrict;
  both.mixed = open;
  both.value.clear();
  return both;
}

std::string_view where(const HtmlContext& context) {
  switch (context.state) {
    case HtmlContext::State::kText: return "between tags";
    case HtmlContext::State::kValue: return "within an attribute's value";
    case HtmlContext::State::kMarkup:
    case HtmlContext::State::kComment: return "within a comment";
    case HtmlContext::State::kStyle: return "within <style>";
    default: return "within a tag";
  }
}

}  // namespace atalaya::templates
