// Templates of web pages: the language of template.h, with HTML around it that cannot be broken out of.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "template/template.h"

namespace atalaya::templates {

/// What is wrong with one argument of a call. The error's place, where it has one, is within the argument's text.
struct WrongArgument {
  std::size_t argument = 0;
  Error error;
};
/// Judges a call of a given function by what is known before anything is rendered: arguments written as constants
/// (null: another one).
using CheckCall = std::function<std::optional<WrongArgument>(std::string_view function,
                                                             const std::vector<const boost::json::value*>& arguments)>;

/// A parsed template of a piece of HTML (what stands within a page's body). Immutable, cheap to copy,
/// thread-safe.
///
/// The HTML is read once, at parsing, together with the actions in it, and each action is escaped for
/// the place where it stands:
///   * between tags: as text; only what functions made with Value::markup goes out as it is;
///   * in a quoted attribute: as text;
///   * in href, src, action and their like: a whole address whose scheme is not http, https or mailto
///     becomes `#blocked`; behind its beginning a value is one part of it, percent-encoded.
/// What can not be made safe is refused, with its place and what to write instead: actions in names of
/// tags and attributes, in attributes without quotes, in comments, <style>, style="" and srcset; any
/// element or attribute beyond the list (so: scripts, frames, objects, <base>, <meta>, on* handlers,
/// srcdoc); addresses that say javascript: and the like; branches that end in different places of the
/// HTML. `define`d templates are called, and end, between tags.
class HtmlTemplate {
 public:
  /// invalid_argument with the place of the fault and the remedy.
  static Result<HtmlTemplate> parse(std::string_view text, const ParseOptions& options = {});
  /// Everything for which parse would refuse the text, and what `check` says, by place; none: it parses.
  static std::vector<Error> mistakes(std::string_view text, const ParseOptions& options = {},
                                     const CheckCall& check = {});

  /// As Template::render. With data of any kind the result has the tags and attributes that the
  /// template's own text has, and those of markup.
  Result<std::string> render(const boost::json::value& data, const RenderOptions& options = {}) const;

 private:
  struct Impl;
  explicit HtmlTemplate(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace atalaya::templates
