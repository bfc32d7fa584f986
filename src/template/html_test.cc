#include "template/html.h"

#include <gtest/gtest.h>

#include "template/html_escape.h"

namespace atalaya::templates {
namespace {

namespace json = boost::json;

ParseOptions options() { return {.file = "pages/x.html", .functions = {{"markup", 1, 1}, {"query", 1, 1}}}; }

Result<Value> answer(std::string_view name, const Arguments& arguments) {
  if (name == "markup") return Value::markup("<b>" + escape_html(print(*arguments[0])) + "</b>");
  return Value(json::array{json::object{{"value", 1}}});
}

/// With `.x` being `x`; "parse: …" or "render: …" for an error.
std::string render(std::string_view text, json::value x = nullptr, json::value y = nullptr) {
  auto parsed = HtmlTemplate::parse(text, options());
  if (!parsed) return "parse: " + to_string(parsed.error());
  auto out = parsed->render(json::object{{"x", std::move(x)}, {"y", std::move(y)}}, {.call = answer});
  return out ? *out : "render: " + to_string(out.error());
}

/// What is wrong with it; "" if nothing is. Every refusal has a place and a remedy.
std::string refusal(std::string_view text) {
  auto parsed = HtmlTemplate::parse(text, options());
  if (parsed) return "";
  EXPECT_TRUE(parsed.error().place) << text;
  EXPECT_NE(parsed.error().remedy, "") << text << ": " << parsed.error().message;
  EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidArgument);
  return parsed.error().message;
}

constexpr const char* kHostile = "\"'><script>alert(1)</script>&<!--";

TEST(HtmlTemplate, EscapesTextBetweenTags) {
  EXPECT_EQ(render("<p>{{ .x }}</p>", kHostile),
            "<p>&#34;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;&lt;!--</p>");
}

TEST(HtmlTemplate, EscapesQuotedAttributesOfBothKinds) {
  EXPECT_EQ(render("<p title=\"{{ .x }}\" class='a {{ .x }}'>", "a\"b'c<"),
            "<p title=\"a&#34;b&#39;c&lt;\" class='a a&#34;b&#39;c&lt;'>");
}

TEST(HtmlTemplate, EscapesWhateverMakesTheText) {
  const std::string escaped = "<p>&lt;i&gt;</p>";
  EXPECT_EQ(render("<p>{{ safeHtml .x }}</p>", "<i>"), escaped);
  EXPECT_EQ(render("<p>{{ printf \"%s\" .x }}</p>", "<i>"), escaped);
  EXPECT_EQ(render("<p>{{ $v := .x }}{{ $v }}</p>", "<i>"), escaped);
  EXPECT_EQ(render("<p>{{ with .x }}{{ . }}{{ end }}</p>", "<i>"), escaped);
  EXPECT_EQ(render("<p>{{ range .x }}{{ . }}{{ end }}</p>", json::array{"<i>"}), escaped);
  EXPECT_EQ(render("{{ define \"d\" }}<p>{{ . }}</p>{{ end }}{{ template \"d\" .x }}", "<i>"), escaped);
  EXPECT_EQ(render("<p>{{ \"<i>\" }}</p>"), escaped);
}

TEST(HtmlTemplate, LetsOnlyMarkupOfOursThrough) {
  EXPECT_EQ(render("<p>{{ markup .x }}</p>", "<i>"), "<p><b>&lt;i&gt;</b></p>");
  EXPECT_EQ(render("<p>{{ $m := markup .x }}{{ $m }}</p>", "a"), "<p><b>a</b></p>");
  EXPECT_EQ(render("<p>{{ .x | markup | safeHtml }}</p>", "a"), "<p><b>a</b></p>");
}

TEST(HtmlTemplate, MarkupIsTextAgainWhereItIsNoMarkup) {
  EXPECT_EQ(render("<p>{{ markup .x | print }}</p>", "a"), "<p>&lt;b&gt;a&lt;/b&gt;</p>");
  EXPECT_EQ(render("<p>{{ printf \"%s!\" (markup .x) }}</p>", "a"), "<p>&lt;b&gt;a&lt;/b&gt;!</p>");
  EXPECT_EQ(render("<p title=\"{{ markup .x }}\">", "a"), "<p title=\"&lt;b&gt;a&lt;/b&gt;\">");
  EXPECT_EQ(render("<a href=\"{{ markup .x }}\">", "a"), "<a href=\"%3Cb%3Ea%3C/b%3E\">");
}

TEST(HtmlTemplate, ReplacesBytesThatAreNoText) {
  EXPECT_EQ(render("{{ .x }}", json::string(std::string_view("a\0b\x01", 4))),
            "a\xef\xbf\xbd"
            "b\xef\xbf\xbd");
  EXPECT_EQ(render("<p title=\"{{ .x }}\">", "\xc3"), "<p title=\"\xef\xbf\xbd\">");
  EXPECT_EQ(render("{{ .x }}", "\xc0\xbc\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(render("{{ .x }}", "añ€😀\t\n"), "añ€😀\t\n");
}

TEST(HtmlTemplate, LetsAddressesOfHarmlessSchemesThrough) {
  for (const auto* url : {"http://a/", "HTTPS://a:1/b?c=d&e#f", "mailto:a@b", "/p/x", "x/y:z", "?a=b:c", "#a:b", "",
                          "//host/x", "a%20b"}) {
    EXPECT_EQ(render("<a href=\"{{ .x }}\">", url), "<a href=\"" + escape_html(url) + "\">") << url;
  }
}

TEST(HtmlTemplate, BlocksAddressesThatRunSomething) {
  const std::string blocked = "<a href=\"#blocked\">";
  for (const auto* url : {"javascript:alert(1)", "JavaScript:alert(1)", " javascript:alert(1)", "\tjavascript:alert(1)",
                          "java\nscript:alert(1)", "java\tscript:alert(1)", "\x01javascript:alert(1)",
                          "javascript\n:alert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:x",
                          "file:///etc/passwd", "blob:http://x", "x:y", ":", "javascript&colon;:alert(1)",
                          "javascript\\:alert(1)", "http :x", "\xc2\xa0javascript:x", "feed:javascript:x"}) {
    EXPECT_EQ(render("<a href=\"{{ .x }}\">", url), blocked) << url;
    EXPECT_EQ(render("<img src='{{ .x }}'>", url), "<img src='#blocked'>") << url;
    EXPECT_EQ(render("<form action=\"{{ .x }}\">", url), "<form action=\"#blocked\">") << url;
    EXPECT_EQ(render("<button formaction=\"{{ .x }}\">", url), "<button formaction=\"#blocked\">") << url;
  }
}

TEST(HtmlTemplate, CannotBeGivenASchemeInPieces) {
  EXPECT_EQ(render("<a href=\"{{ .x }}{{ .y }}\">", "java", "script:alert(1)"),
            "<a href=\"javascript%3Aalert%281%29\">");
  EXPECT_EQ(render("<a href=\"{{ .x }}{{ .y }}\">", "", "javascript:alert(1)"),
            "<a href=\"javascript%3Aalert%281%29\">");
  EXPECT_EQ(render("<a href=\"java{{ .x }}\">", "script:alert(1)"), "<a href=\"javascript%3Aalert%281%29\">");
  EXPECT_EQ(render("<a href=\"/{{ .x }}\">", "/evil.example"), "<a href=\"/%2Fevil.example\">");
  EXPECT_NE(refusal("<a href=\"{{ .x }}:alert(1)\">"), "");
  EXPECT_NE(refusal("<a href=\"{{ .x }}script:alert(1)\">"), "");
  EXPECT_NE(refusal("<a href=\"{{ if .x }}java{{ else }}js{{ end }}script:alert(1)\">"), "");
  EXPECT_NE(refusal("<a href=\"{{ range .x }}java{{ end }}script:alert(1)\">"), "");
  EXPECT_NE(refusal("<a href=\"{{ if .x }}/a{{ end }}{{ .y }}\">"), "");
  EXPECT_NE(refusal("<a href=\"{{ range .x }}{{ . }}{{ end }}\">"), "");
}

TEST(HtmlTemplate, EncodesTheLaterPartsOfAnAddress) {
  EXPECT_EQ(render("<a href=\"/p/{{ .x }}\">", "a b/c:d?e#f%\"&"), "<a href=\"/p/a%20b/c:d%3Fe%23f%25%22%26\">");
  EXPECT_EQ(render("<a href=\"http://{{ .x }}/metrics\">", "db1:9100"), "<a href=\"http://db1:9100/metrics\">");
  EXPECT_EQ(render("<a href=\"?host={{ .x }}&b={{ .y }}\">", "a&b=c/d", "é"),
            "<a href=\"?host=a%26b%3Dc%2Fd&b=%C3%A9\">");
  EXPECT_EQ(render("<a href=\"{{ .x }}?q={{ .y }}\">", "http://a/", "1+1"), "<a href=\"http://a/?q=1%2B1\">");
  EXPECT_EQ(render("<a href=\"{{ if .x }}/a{{ else }}/b?c={{ end }}{{ .y }}\">", 1, "/"), "<a href=\"/a%2F\">");
  EXPECT_EQ(render("<a href=\"/a{{ range .x }}/{{ . }}{{ end }}\">", json::array{"b", "c"}), "<a href=\"/a/b/c\">");
}

TEST(HtmlTemplate, RefusesAddressesThatAreWrittenAsScripts) {
  for (const auto* text :
       {"<a href=\"javascript:alert(1)\">", "<a href=' javascript:alert(1)'>", "<a href=\"JAVASCRIPT:x\">",
        "<a href=\"java\nscript:x\">", "<a href=\"java&#115;cript:x\">", "<a href=\"javascript&colon;x\">",
        "<a href=\"data:text/html,x\">", "<form action=\"vbscript:x\">", "<a href=\"\x01javascript:x\">",
        "<img src=\"javascript:x\">", "<a href=\"java{{/* */}}script:x\">", "<a href=\"a\\b\">"}) {
    EXPECT_NE(refusal(text), "") << text;
  }
  EXPECT_EQ(refusal("<img src=\"data:image/png;base64,AAAA\" alt=\"\">"), "");
  EXPECT_NE(refusal("<img src=\"data:{{ .x }}\">"), "");
}

TEST(HtmlTemplate, RefusesActionsWhereTheyCannotBeMadeSafe) {
  for (const auto* text : {"<{{ .x }}>",
                           "</{{ .x }}>",
                           "<p{{ .x }}>",
                           "<p {{ .x }}>",
                           "<p {{ .x }}=\"a\">",
                           "<p cl{{ .x }}=\"a\">",
                           "<p class={{ .x }}>",
                           "<p class= {{ .x }}>",
                           "<p class{{ .x }}=\"\">",
                           "<p class {{ .x }}>",
                           "<p class=\"a\"{{ .x }}>",
                           "<!-- {{ .x }} -->",
                           "<!{{ .x }}",
                           "<style>{{ .x }}</style>",
                           "<style>a{{ if .x }}b{{ end }}</style>",
                           "<p style=\"{{ .x }}\">",
                           "<p style=\"color:{{ .x }}\">",
                           "<input type=\"{{ .x }}\">",
                           "<a target=\"{{ .x }}\">",
                           "<br/{{ .x }}>",
                           "<{{ if .x }}p{{ end }}>",
                           "</p{{ .x }}>",
                           "<p {{ template \"d\" }}>{{ define \"d\" }}{{ end }}",
                           "<p title=\"{{ template \"d\" }}\">{{ define \"d\" }}{{ end }}"}) {
    EXPECT_NE(refusal(text), "") << text;
  }
}

TEST(HtmlTemplate, RefusesWhatCouldRunOrEmbed) {
  for (const auto* text : {"<script>x</script>",
                           "<SCRIPT src=\"/x.js\"></SCRIPT>",
                           "<script",
                           "<iframe src=\"/\"></iframe>",
                           "<object>",
                           "<embed>",
                           "<base href=\"/\">",
                           "<meta http-equiv=\"refresh\">",
                           "<svg>",
                           "<math>",
                           "<template>",
                           "<noscript>",
                           "<textarea>",
                           "<title>",
                           "<body>",
                           "<html>",
                           "<frameset>",
                           "<xmp>",
                           "<plaintext>",
                           "<at-widget>",
                           "<x-y>",
                           "<p onclick=\"x\">",
                           "<p ONCLICK=\"x\">",
                           "<p\nonclick='x'>",
                           "<p onclick>",
                           "<p on-x=\"\">",
                           "<p srcdoc=\"x\">",
                           "<img srcset=\"x\">",
                           "<a ping=\"x\">",
                           "<a xlink:href=\"x\">",
                           "<p is=\"x\">",
                           "<p slot=\"x\">",
                           "<link rel=\"import\" href=\"x\">",
                           "<link href=\"x\">",
                           "<link rel=\"stylesheet\" href=\"javascript:x\">",
                           "<link rel=\"prefetch\">",
                           "<link rel=\"stylesheet\" href=\"{{ .x }}\">",
                           "<link {{ if .x }}rel=\"stylesheet\"{{ end }}>",
                           "<!doctype html>",
                           "<![CDATA[x]]>",
                           "<?xml?>",
                           "</script>"}) {
    EXPECT_NE(refusal(text), "") << text;
  }
}

TEST(HtmlTemplate, RefusesHtmlThatCanBeReadInTwoWays) {
  for (const auto* text : {"a < b",
                           "<p class=a>",
                           "<p class=>",
                           "<p class=\"a\"id=\"b\">",
                           "<p \"a\">",
                           "<p =\"a\">",
                           "<p <b>>",
                           "<p a\"b=\"c\">",
                           "<p a`b>",
                           "< p>",
                           "</ p>",
                           "<p/x>",
                           "</p x>",
                           "</>",
                           "<!-->",
                           "<!--->",
                           "<!-- a -- b -->",
                           "<!-- a --!> -->",
                           "<!-- <!-- -->",
                           "<p class='a",
                           "<p",
                           "<",
                           "<!-- a",
                           "<style>a",
                           "<style></p></style>",
                           "<style></sty</style>",
                           "<p {{ if .x }}on{{ end }}click=\"y\">",
                           "<p on{{ if .x }}click{{ end }}=\"y\">",
                           "<p o{{/* */}}nclick=\"y\">",
                           "<p {{ if .x }}cla{{ end }}ss=\"y\">",
                           "<p class{{ if .x }}{{ end }}=\"y\">",
                           "<scr{{/* */}}ipt>",
                           "<p {{ $v := 1 }}a{{ $v = 2 }}b=\"c\">"}) {
    EXPECT_NE(refusal(text), "") << text;
  }
}

TEST(HtmlTemplate, RefusesBranchesThatEndInDifferentPlaces) {
  for (const auto* text :
       {"{{ if .x }}<p title=\"{{ end }}", "{{ if .x }}<p {{ else }}<p title=\"{{ end }}\">",
        "<p {{ if .x }}>{{ end }}>", "{{ range .x }}<p {{ end }}>", "{{ range .x }}<p title=\"{{ break }}\">{{ end }}",
        "<p {{ range .x }}{{ continue }}{{ end }}>", "<p {{ if .x }}title=\"{{ else }}class=\"{{ end }}\">",
        "<p {{ if .x }}title=\"{{ else }}title='{{ end }}\">", "{{ with .x }}<!-- {{ end }} -->",
        "{{ define \"d\" }}<p {{ end }}{{ template \"d\" }}>",
        "{{ if .x }}<a {{ else }}<p {{ end }}href=\"{{ .y }}\">"}) {
    EXPECT_NE(refusal(text), "") << text;
  }
}

TEST(HtmlTemplate, TakesOrdinaryPages) {
  for (const auto* text :
       {"<option{{ if .x }} selected{{ end }} value=\"{{ .y }}\">",
        "<option {{ if .x }}selected{{ end }}>",
        "<td{{ if .x }} class=\"a\"{{ else }} class='b'{{ end }}>",
        "<br><br/><br />",
        "<hr class=\"a\"/>",
        "<!-- a note, it's fine: <p> & - x -->a",
        "<!---->",
        "<style>p > a { color: red } /* < */</style>",
        "<style media=\"print\">\n</STYLE >",
        "<style><<</style>",
        "<p\n  class = \"a\"\n>",
        "<input disabled name=\"a\" type=\"text\">",
        "<p data-x=\"{{ .x }}\" aria-label='{{ .y }}'>",
        "1 &lt; 2 && 3 > 2",
        "<link rel=\"stylesheet\" href=\"a.css\">",
        "<P CLASS=\"a\">x</P>",
        "{{ range .x }}<li>{{ . }}{{ if . }}{{ break }}{{ end }}</li>{{ end }}",
        "<a href=\"mailto:{{ .x }}\">",
        "<a href=\"{{ if .x }}/a{{ else }}/b{{ end }}/{{ .y }}\">",
        "{{ define \"row\" }}<tr><td>{{ . }}</td></tr>{{ end }}<table>{{ template \"row\" .x }}</table>",
        "<p {{ range .x }} data-a=\"b\"{{ end }}>",
        "<p style=\"color: red\">"}) {
    EXPECT_EQ(refusal(text), "") << text;
  }
}

TEST(HtmlTemplate, NamesTheWayOut) {
  EXPECT_EQ(render("<p>\n  <script>"),
            "parse: pages/x.html:2:10: template: <script> is not allowed in a page "
            "(show live values with {{ widget \"chart\" \"<PromQL>\" }})");
  EXPECT_EQ(render("a  {{- .x -}}  <p class={{ .y }}>"),
            "parse: pages/x.html:1:25: template: the value of class has no quotes (write the value within \"\")");
}

/// "line:column message" of everything that is wrong.
std::vector<std::string> mistakes(std::string_view text) {
  std::vector<std::string> out;
  for (const auto& error : HtmlTemplate::mistakes(text, options())) {
    out.push_back(std::to_string(error.place->line) + ":" + std::to_string(error.place->column) + " " + error.message);
  }
  return out;
}

TEST(HtmlTemplate, TellsAllMistakesWithTheirPlaces) {
  EXPECT_EQ(
      mistakes(
          "<p>{{ nofunc }}</p>\n{{ if }}<b>{{ $y }}</b>{{ else }}x{{ else }}y{{ end }}\n{{ template \"t\" }}{{ end }}"),
      (std::vector<std::string>{"1:7 template: function \"nofunc\" not defined",
                                "2:7 template: an expression is missing", "2:15 template: undefined variable $y",
                                "2:35 template: a second {{else}}", "3:1 template: template \"t\" is not defined",
                                "3:19 template: unexpected {{end}}"}));
  const auto html = mistakes("<blink>\n<a {{ .x }}>1</a>\n<p style='{{ .x }}'>2</p> 1 < 2\n<b>{{ nofunc }}");
  ASSERT_EQ(html.size(), 5u);
  const std::vector<std::string> lines{"1:", "2:", "3:", "3:"};
  for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(html[i].substr(0, 2), lines[i]) << html[i];
  EXPECT_EQ(html[4], "4:7 template: function \"nofunc\" not defined");
}

TEST(HtmlTemplate, AnActionThatIsNotClosedEndsWhereTheNextBegins) {
  EXPECT_EQ(mistakes("{{ if .x <p>\n{{ nofunc }}{{ end }}"),
            (std::vector<std::string>{"1:10 template: unexpected '<' in an action",
                                      "2:4 template: function \"nofunc\" not defined"}));
}

TEST(HtmlTemplate, AWrongValueDoesNotMakeItsNameUnknown) {
  EXPECT_EQ(mistakes("{{ $x := nofunc }}{{ $x }}"),
            (std::vector<std::string>{"1:10 template: function \"nofunc\" not defined"}));
}

TEST(HtmlTemplate, ALoopThatNeverAgreesIsRefusedInTime) {
  std::string text = "<p ";
  for (int i = 0; i < 60; ++i) text += "{{ range .x }} title=\"a\" ";
  for (int i = 0; i < 60; ++i) text += " title=\"b\"{{ end }}";
  EXPECT_EQ(refusal(text + ">"), "template: too many loops within loops");
}

TEST(HtmlTemplate, AsksTheOneWhoRendersForGivenFunctions) {
  EXPECT_EQ(render("{{ range query \"up\" }}{{ .value }}{{ end }}"), "1");
  auto parsed = HtmlTemplate::parse("{{ query \"up\" }}", options());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->render({}).error().message, "template: not available here");
  EXPECT_EQ(render("{{ query }}"), "parse: pages/x.html:1:4: template: query takes 1 to 1 arguments, here are 0");
}

}  // namespace
}  // namespace atalaya::templates
