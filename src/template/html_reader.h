// The HTML of a template, read a character at a time: where in it one stands.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "template/ast.h"
#include "template/html_names.h"

namespace atalaya::templates {

/// A stricter HTML than browsers take, so that there is nothing to be read in two ways: names in one
/// piece, values in quotes, `<` only where a known tag begins.
struct HtmlContext {
  enum class State : std::uint8_t {
    kText,
    kTagOpen,        ///< behind `<`
    kMarkup,         ///< within `<!--`
    kComment,        ///< behind it
    kTagName,        ///<
    kTag,            ///< between attributes
    kAttributeName,  ///<
    kAfterName,      ///< space behind it
    kBeforeValue,    ///< behind `=`
    kValue,          ///< within quotes
    kSlash,          ///< behind `/` in a tag: `>` must follow
    kEndTagName,     ///< behind `</`
    kEndTag,         ///< behind the name
    kStyle,          ///< the text of <style>
  };
  /// How far an address has come.
  enum class Url : std::uint8_t {
    kStart,   ///< nothing of it yet
    kOpen,    ///< its scheme is not decided
    kSlash,   ///< one `/`
    kPath,    ///< decided
    kStrict,  ///< decided, and a part of its own: the query, or branches differ
  };

  State state = State::kText;
  bool glued = false;   ///< kTag: space must come before another attribute
  bool linked = false;  ///< <link>: rel="stylesheet" has been seen
  char quote = 0;
  AttributeKind kind = AttributeKind::kPlain;
  Url url = Url::kStart;
  bool mixed = false;     ///< kOpen: not all of what came before is known
  std::string element;    ///< of the tag
  std::string attribute;  ///< of the value
  std::string value;      ///< kOpen: what came before; rel: all of it

  bool operator==(const HtmlContext&) const = default;
};

/// Thread-compatible.
class HtmlReader {
 public:
  const HtmlContext& context() const { return now_; }
  void go_on(HtmlContext from) { now_ = std::move(from); }

  /// The next character of the template's own text.
  Status take(char c);
  /// Something else than text comes: what is half read ends here, or cannot.
  Status settle();
  /// How an action that prints is escaped here. After `settle`.
  Result<Escape> action();

 private:
  using State = HtmlContext::State;
  using Url = HtmlContext::Url;

  Status take_tag_open(char c);
  Status take_markup(char c);
  Status take_comment(char c);
  Status take_name(char c);
  Status take_tag(char c);
  Status take_attribute_name(char c);
  Status take_before_value(char c);
  Status take_value(char c);
  Status take_address(char c);
  Status take_end_tag(char c);
  Status take_style(char c);
  Status end_attribute_name();
  Status end_value();
  Status end_tag();
  void begin_tag(bool glued);

  HtmlContext now_;
  std::string half_;  ///< a name, or the end of a comment or style that may be coming
};

/// Where both ways may go on from; nullopt where nothing would be safe.
std::optional<HtmlContext> join(const HtmlContext& a, const HtmlContext& b);
/// "within a tag", for messages.
std::string_view where(const HtmlContext& context);

}  // namespace atalaya::templates
