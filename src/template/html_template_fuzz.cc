// Whatever the template, hostile data never get anywhere but into text and quoted values, and what comes
// out holds nothing that runs. The output is read by a tokenizer of its own (WHATWG HTML §13.2.5, as far as
// allowed elements need it), not by the reader that the escaping relies on.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "template/html.h"
#include "template/html_escape.h"

namespace {

using namespace atalaya;
namespace json = boost::json;

/// In every hostile value, and in no template of the corpus.
constexpr std::string_view kMarker = "zq7";

[[noreturn]] void broken(std::string_view what, std::string_view output) {
  std::fprintf(stderr, "%.*s in: %.*s\n", static_cast<int>(what.size()), what.data(), static_cast<int>(output.size()),
               output.data());
  std::abort();
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// Character references as browsers decode them, as far as they are ASCII.
std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '&') {
      out += text[i++];
      continue;
    }
    if (text.substr(i).starts_with("&#")) {
      auto at = i + 2;
      const bool hex = at < text.size() && lower(text[at]) == 'x';
      if (hex) ++at;
      const auto begin = at;
      unsigned long code = 0;
      for (; at < text.size(); ++at) {
        const char c = lower(text[at]);
        const int digit = c >= '0' && c <= '9' ? c - '0' : hex && c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0) break;
        code = std::min<unsigned long>(code * (hex ? 16 : 10) + static_cast<unsigned>(digit), 0x110000);
      }
      if (at > begin) {
        out += code < 0x80 ? static_cast<char>(code) : '?';
        i = at < text.size() && text[at] == ';' ? at + 1 : at;
        continue;
      }
    }
    bool named = false;
    for (const auto& [name, c] : {std::pair{"&amp;", '&'}, {"&colon;", ':'}, {"&Tab;", '\t'}, {"&NewLine;", '\n'}}) {
      if (!text.substr(i).starts_with(name)) continue;
      out += c;
      i += std::string_view(name).size();
      named = true;
      break;
    }
    if (!named) out += text[i++];
  }
  return out;
}

bool runs(std::string_view address, bool image) {
  std::string plain;
  for (const char c : decoded(address)) {
    if (c == '\t' || c == '\n' || c == '\r') continue;
    if (plain.empty() && static_cast<unsigned char>(c) <= 0x20) continue;
    plain += lower(c);
  }
  const auto end = plain.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+-.");
  if (end == std::string::npos || plain[end] != ':') return false;
  const auto scheme = plain.substr(0, end);
  return scheme != "http" && scheme != "https" && scheme != "mailto" && !(image && scheme == "data");
}

/// Goes over a document and stops the program at the first thing that must not be there.
class Judge {
 public:
  explicit Judge(std::string_view html) : html_(html) {}

  void run() {
    while (at_ < html_.size()) {
      if (peek() != '<') {
        ++at_;
      } else if (html_.substr(at_).starts_with("<!--")) {
        comment();
      } else if (is_letter(peek(1))) {
        ++at_;
        tag(false);
      } else if (peek(1) == '/' && is_letter(peek(2))) {
        at_ += 2;
        tag(true);
      } else if (peek(1) == '!' || peek(1) == '?' || peek(1) == '/') {
        broken("a bogus comment", html_);
      } else {
        ++at_;
      }
    }
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < html_.size() ? html_[at_ + ahead] : '\0'; }

  void clean(std::string_view part, std::string_view what) const {
    if (part.find(kMarker) != std::string_view::npos) broken(what, html_);
  }

  void comment() {
    const auto begin = at_;
    at_ += 4;
    if (peek() == '>' || (peek() == '-' && peek(1) == '>')) broken("a comment that ends at once", html_);
    auto end = html_.find("-->", at_);
    const auto other = html_.find("--!>", at_);
    if (end == std::string_view::npos || other < end) broken("a comment without a plain end", html_);
    end += 3;
    clean(html_.substr(begin, end - begin), "data in a comment");
    at_ = end;
  }

  std::string name(bool of_tag) {
    const auto begin = at_;
    while (at_ < html_.size() && !is_space(peek()) && peek() != '/' && peek() != '>' && (of_tag || peek() != '='))
      ++at_;
    std::string out;
    for (const char c : html_.substr(begin, at_ - begin)) out += lower(c);
    clean(out, "data in a name");
    if (out.find_first_of("<\"'`") != std::string::npos) broken("a quote in a name", html_);
    return out;
  }

  void tag(bool ends) {
    const auto element = name(true);
    constexpr auto kNever = std::to_array<std::string_view>(
        {"script",    "iframe",  "frame",    "frameset", "object",   "embed", "applet",   "base",
         "meta",      "svg",     "math",     "template", "noscript", "title", "textarea", "xmp",
         "plaintext", "noembed", "noframes", "portal",   "html",     "head",  "body"});
    for (const auto never : kNever) {
      if (element == never) broken(never, html_);
    }
    for (;;) {
      while (is_space(peek()) || peek() == '/') ++at_;
      if (at_ >= html_.size()) broken("a tag without an end", html_);
      if (peek() == '>') break;
      attribute(element);
    }
    ++at_;
    if (!ends && element == "style") style();
  }

  void attribute(std::string_view element) {
    const auto attribute = name(false);
    if (attribute.empty()) broken("a value without a name", html_);
    if (attribute.starts_with("on") || attribute == "srcdoc" || attribute == "srcset" || attribute == "http-equiv") {
      broken(attribute, html_);
    }
    while (is_space(peek())) ++at_;
    if (peek() != '=') return;
    ++at_;
    while (is_space(peek())) ++at_;
    const char quote = peek();
    if (quote != '"' && quote != '\'') broken("a value without quotes", html_);
    const auto end = html_.find(quote, at_ + 1);
    if (end == std::string_view::npos) broken("a value without an end", html_);
    const auto value = html_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    if (attribute == "style") clean(value, "data in a style");
    const bool address =
        attribute == "href" || attribute == "src" || attribute == "action" || attribute == "formaction";
    if (address && runs(value, element == "img")) broken("an address that runs", html_);
  }

  void style() {
    const auto begin = at_;
    while (at_ < html_.size()) {
      if (peek() == '<' && peek(1) == '/') break;
      ++at_;
    }
    clean(html_.substr(begin, at_ - begin), "data in <style>");
  }

  std::string_view html_;
  std::size_t at_ = 0;
};

constexpr auto kHostile = std::to_array<std::string_view>({
    "zq7\"><script>zq7()</script>",
    "zq7'><img src=x onerror='zq7()",
    "zq7 onclick=zq7() ",
    "javascript:zq7()",
    "\tjava\nscript:zq7",
    "zq7--><b>zq7<!--",
    "</style><b zq7>zq7",
    "zq7\\\"\x01\xc3<",
    "&#34;zq7&quot; &lt;zq7>",
    "script:zq7",
    "=zq7`",
});

Result<templates::Value> answer(std::string_view, const templates::Arguments& arguments) {
  return templates::Value::markup("<b>" + templates::escape_html(templates::print(*arguments[0])) + "</b>");
}

json::value data(std::size_t turn) {
  const auto hostile = [&](std::size_t i) { return json::string(kHostile[(turn + i) % kHostile.size()]); };
  return json::object{{"x", hostile(0)},
                      {"y", hostile(3)},
                      {"no", false},
                      {"list", json::array{hostile(1), hostile(2), hostile(4)}},
                      {"labels", json::object{{"zq7", hostile(5)}, {hostile(6), hostile(7)}}}};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  if (text.find(kMarker) != std::string_view::npos) return 0;
  const auto parsed = templates::HtmlTemplate::parse(text, {.file = "fuzz", .functions = {{"markup", 1, 1}}});
  const auto mistakes = templates::HtmlTemplate::mistakes(text, {.file = "fuzz", .functions = {{"markup", 1, 1}}});
  if (mistakes.empty() != parsed.has_value()) std::abort();
  if (!parsed) {
    if (!parsed.error().place) std::abort();
    return 0;
  }
  for (std::size_t turn = 0; turn < kHostile.size(); ++turn) {
    const auto out = parsed->render(data(turn), {.call = answer, .max_output_bytes = 8192, .max_steps = 4000});
    if (out) Judge(*out).run();
  }
  return 0;
}
