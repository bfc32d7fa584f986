#include "pages/markdown.h"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "template/html_escape.h"

namespace atalaya::pages {
namespace {

using templates::escape_html;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

/// How far the end of something within a line is looked for, so that a long text costs no more than its length.
constexpr std::size_t kWindow = 2048;

/// What stands between `mark` at the front and the next one; nullopt when that would be nothing or space.
std::optional<std::string_view> enclosed(std::string_view text, std::string_view mark) {
  if (!text.starts_with(mark)) return std::nullopt;
  text = text.substr(mark.size(), kWindow);
  const auto end = text.find(mark);
  if (end == std::string_view::npos || end == 0 || is_space(text[0]) || is_space(text[end - 1])) return std::nullopt;
  return text.substr(0, end);
}

struct Link {
  std::string_view words;
  std::string_view address;
  std::size_t size;
};

/// `[words](address)` at the front.
std::optional<Link> link(std::string_view text) {
  if (!text.starts_with('[')) return std::nullopt;
  text = text.substr(0, kWindow);
  const auto middle = text.find("](");
  if (middle == std::string_view::npos || text.find('\n') < middle) return std::nullopt;
  const auto end = text.find(')', middle);
  if (end == std::string_view::npos) return std::nullopt;
  return Link{text.substr(1, middle - 1), trim(text.substr(middle + 2, end - middle - 2)), end + 1};
}

std::string inline_html(std::string_view text, int depth = 0) {
  // Deeper than people write.
  constexpr int kMaxDepth = 4;
  if (depth > kMaxDepth) return escape_html(text);
  std::string out;
  std::size_t plain = 0;
  const auto flush = [&](std::size_t end) { out += escape_html(text.substr(plain, end - plain)); };
  for (std::size_t i = 0; i < text.size();) {
    const auto rest = text.substr(i);
    std::size_t taken = 0;
    std::string made;
    if (const auto code = enclosed(rest, "`")) {
      made = "<code>" + escape_html(*code) + "</code>";
      taken = code->size() + 2;
    } else if (const auto strong = enclosed(rest, "**")) {
      made = "<strong>" + inline_html(*strong, depth + 1) + "</strong>";
      taken = strong->size() + 4;
    } else if (const auto emphasis = enclosed(rest, "*")) {
      made = "<em>" + inline_html(*emphasis, depth + 1) + "</em>";
      taken = emphasis->size() + 2;
    } else if (const auto to = link(rest)) {
      made = fmt::format("<a href=\"{}\">{}</a>", escape_html(templates::safe_url(to->address)),
                         inline_html(to->words, depth + 1));
      taken = to->size;
    }
    if (taken == 0) {
      ++i;
      continue;
    }
    flush(i);
    out += made;
    i += taken;
    plain = i;
  }
  flush(text.size());
  return out;
}

/// The text of a list's item: 1 for `- a` and `* a`, 2 for `1. a`; 0 if the line is none.
int list_item(std::string_view line, std::string_view& item) {
  if (line.starts_with("- ") || line.starts_with("* ")) {
    item = trim(line.substr(2));
    return 1;
  }
  std::size_t digits = 0;
  while (digits < line.size() && is_digit(line[digits])) ++digits;
  if (digits == 0 || digits > 9 || !line.substr(digits).starts_with(". ")) return 0;
  item = trim(line.substr(digits + 2));
  return 2;
}

/// Blocks, a line at a time. Thread-compatible.
class Blocks {
 public:
  std::string run(std::string_view text) {
    while (!text.empty()) {
      const auto end = text.find('\n');
      line(text.substr(0, end));
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    close();
    if (code_) out_ += "</code></pre>\n";
    return std::move(out_);
  }

 private:
  void line(std::string_view raw) {
    const auto text = trim(raw);
    if (text.starts_with("```")) {
      close();
      out_ += code_ ? "</code></pre>\n" : "<pre><code>";
      code_ = !code_;
      return;
    }
    if (code_) {
      out_ += escape_html(raw) + "\n";
      return;
    }
    if (text.empty()) return close();
    const auto hashes = text.find_first_not_of('#');
    if (hashes != std::string_view::npos && hashes >= 1 && hashes <= 4 && text[hashes] == ' ') {
      close();
      const auto level = hashes + 1;
      out_ += fmt::format("<h{0}>{1}</h{0}>\n", level, inline_html(trim(text.substr(hashes))));
      return;
    }
    if (text == "---" || text == "***") {
      close();
      out_ += "<hr>\n";
      return;
    }
    std::string_view item;
    if (const int kind = list_item(text, item); kind != 0) return add_item(kind, item);
    if (text.starts_with('>')) return add("blockquote", trim(text.substr(1)));
    if (list_ != 0 && is_space(raw.front())) {
      paragraph_ += '\n';
      paragraph_ += text;
      return;
    }
    add("p", text);
  }

  void add(std::string_view element, std::string_view text) {
    if (list_ != 0 || element != element_) close();
    element_ = element;
    if (!paragraph_.empty()) paragraph_ += '\n';
    paragraph_ += text;
  }

  void add_item(int kind, std::string_view text) {
    if (kind != list_) close();
    if (list_ == 0) out_ += kind == 1 ? "<ul>\n" : "<ol>\n";
    list_ = kind;
    end_item();
    element_ = "li";
    paragraph_ = text;
  }

  void end_item() {
    if (!element_.empty()) out_ += fmt::format("<{0}>{1}</{0}>\n", element_, inline_html(paragraph_));
    element_ = {};
    paragraph_.clear();
  }

  void close() {
    end_item();
    if (list_ != 0) out_ += list_ == 1 ? "</ul>\n" : "</ol>\n";
    list_ = 0;
  }

  std::string out_;
  std::string paragraph_;
  std::string_view element_;  ///< of the block that is open
  int list_ = 0;              ///< as list_item
  bool code_ = false;
};

}  // namespace

std::string markdown_to_html(std::string_view text) { return Blocks().run(text); }

}  // namespace atalaya::pages
