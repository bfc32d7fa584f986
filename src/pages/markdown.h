// A safe subset of Markdown.
#pragma once

#include <string>
#include <string_view>

namespace atalaya::pages {

/// HTML with headings (# to ####, as <h2> to <h5>), paragraphs, lists of one level (-, *, 1.), quotes (>),
/// fenced code, rules (---) and, within lines, `code`, **strong**, *emphasis* and [links](address). HTML in the
/// text is shown as text; addresses of other schemes than http, https and mailto become #blocked.
std::string markdown_to_html(std::string_view text);

}  // namespace atalaya::pages
