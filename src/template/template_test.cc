#include "template/template.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace atalaya::templates {
namespace {

namespace json = boost::json;

const json::value kData = json::parse(R"({
  "status": "firing", "externalURL": "http://atalaya/",
  "groupLabels": {"alertname": "DiskFull", "instance": "web1"},
  "alerts": [
    {"status": "firing", "labels": {"alertname": "DiskFull", "disk": "a"}, "value": 1234567.0},
    {"status": "resolved", "labels": {"alertname": "DiskFull", "disk": "b"}, "value": 2}
  ],
  "n": 3, "zero": 0, "empty": "", "none": null, "list": ["x", "y", "z"]
})");

std::string render(std::string_view text, const json::value& data = kData) {
  auto parsed = Template::parse(text, {.file = "t", .variables = {"labels", "value", "externalURL"}});
  if (!parsed) return "parse: " + to_string(parsed.error());
  auto out = parsed->render(data, {.variables = {{"labels", json::object{{"mountpoint", "/"}, {"instance", "web1"}}},
                                                 {"value", 0.04567},
                                                 {"externalURL", "http://h/at"}}});
  return out ? *out : "render: " + to_string(out.error());
}

std::string place_of_error(std::string_view text) {
  auto parsed = Template::parse(text, {.file = "t"});
  return parsed || !parsed.error().place ? "no error" : to_string(*parsed.error().place);
}

TEST(Template, KeepsTextAndReplacesActions) {
  EXPECT_EQ(render("{{ $labels.mountpoint }} on {{ $labels.instance }} has {{ $value | humanizePercentage }} left"),
            "/ on web1 has 4.567% left");
}

TEST(Template, FindsFieldsOfAlertmanagerInTheJsonMember) {
  EXPECT_EQ(render("{{ .Status }} {{ .GroupLabels.alertname }} {{ .ExternalURL }}"), "firing DiskFull http://atalaya/");
}

TEST(Template, PrintsAMissingLabelAsNothing) {
  EXPECT_EQ(render("[{{ $labels.nope }}{{ .GroupLabels.nope.x }}]"), "[]");
}

TEST(Template, TrimsSpaceWhereMarkersSay) {
  EXPECT_EQ(render("a  {{- \"b\" -}}  \n c {{/* note */ -}}  d"), "abc d");
  EXPECT_EQ(render("x {{-3}} y"), "x -3 y");
}

TEST(Template, ChoosesBranches) {
  EXPECT_EQ(render("{{ if .zero }}a{{ else if .empty }}b{{ else if eq .n 3 }}c{{ else }}d{{ end }}"), "c");
  EXPECT_EQ(render("{{ with .groupLabels }}{{ .instance }}{{ else }}none{{ end }}"), "web1");
  EXPECT_EQ(render("{{ with .none }}{{ . }}{{ else with .n }}{{ . }}{{ end }}"), "3");
}

TEST(Template, RangesOverListsMapsAndNothing) {
  EXPECT_EQ(render("{{ range $i, $x := .list }}{{ if $i }}, {{ end }}{{ $i }}={{ $x }}{{ end }}"), "0=x, 1=y, 2=z");
  EXPECT_EQ(render("{{ range $k, $v := .groupLabels }}{{ $k }}={{ $v }};{{ end }}"),
            "alertname=DiskFull;instance=web1;");
  EXPECT_EQ(render("{{ range .none }}x{{ else }}nothing{{ end }}"), "nothing");
  EXPECT_EQ(render("{{ range .list }}{{ if eq . \"y\" }}{{ continue }}{{ end }}{{ . }}{{ end }}"), "xz");
  EXPECT_EQ(render("{{ range .list }}{{ if eq . \"y\" }}{{ break }}{{ end }}{{ . }}{{ end }}"), "x");
}

TEST(Template, AssignsToVariablesOfAnOuterBlock) {
  EXPECT_EQ(render("{{ $s := \"a\" }}{{ range .list }}{{ $s = . }}{{ end }}{{ $s }}"), "z");
  EXPECT_EQ(render("{{ $s := \"a\" }}{{ if true }}{{ $s := \"b\" }}{{ end }}{{ $s }}"), "a");
}

TEST(Template, OffersTheMethodsOfAlertmanagersData) {
  EXPECT_EQ(render("{{ .Alerts.Firing | len }}/{{ len .Alerts }}"), "1/2");
  EXPECT_EQ(render("{{ range .GroupLabels.SortedPairs }}{{ .Name }}={{ .Value }} {{ end }}"),
            "alertname=DiskFull instance=web1 ");
  EXPECT_EQ(render("{{ .GroupLabels.SortedPairs.Values | join \",\" }}"), "DiskFull,web1");
  EXPECT_EQ(render("{{ (.GroupLabels.Remove (stringSlice \"alertname\")).Names | join \",\" }}"), "instance");
}

TEST(Template, ComparesAsGoDoes) {
  EXPECT_EQ(
      render("{{ eq 1 1.0 }} {{ eq \"a\" \"b\" \"a\" }} {{ ne 1 2 }} {{ lt 1 2 }} {{ ge \"b\" \"a\" }} {{ not true }}"),
      "true true true true true false");
  EXPECT_EQ(render("{{ and .n .zero }} {{ or .zero .n }} {{ and true (gt .n 2) }}"), "0 3 true");
  EXPECT_NE(render("{{ lt 1 \"a\" }}").find("incompatible types"), std::string::npos);
}

TEST(Template, StopsAtTheDecidingArgumentOfAndAndOr) {
  EXPECT_EQ(render("{{ or .n (query \"up\") }}{{ and .zero (query \"up\") }}"), "30");
}

TEST(Template, PrintsNumbersAsGoDoes) {
  EXPECT_EQ(render("{{ 1000000.0 }} {{ 100000.0 }} {{ 0.0001 }} {{ 0.00001 }} {{ 1.5 }} {{ 42 }} {{ 0x10 }}"),
            "1e+06 100000 0.0001 1e-05 1.5 42 16");
}

TEST(Template, FormatsWithPrintf) {
  EXPECT_EQ(render("{{ printf \"%.2f|%5d|%-4s|%04d|%q|%v|%%|%x\" 3.14159 42 \"ab\" 7 \"x\\\"y\" true 255 }}"),
            "3.14|   42|ab  |0007|\"x\\\"y\"|true|%|ff");
  EXPECT_EQ(render("{{ printf \"%d %d\" 1 }}"), "1 %!d(MISSING)");
  EXPECT_EQ(render("{{ printf \"%d\" \"a\" }}"), "%!d(string=a)");
  EXPECT_EQ(render("{{ printf \"x\" 1 }}"), "x%!(EXTRA int=1)");
}

TEST(Template, HumanizesAsPrometheusDoes) {
  EXPECT_EQ(render("{{ humanize 1234567.0 }} {{ humanize 0.0123 }} {{ humanize1024 1048576.0 }} {{ humanize 0 }}"),
            "1.235M 12.3m 1Mi 0");
  EXPECT_EQ(render("{{ humanizeDuration 0 }} {{ humanizeDuration 899.9 }} {{ humanizeDuration 90061 }} "
                   "{{ humanizeDuration 0.0123 }} {{ humanizeDuration -60 }} {{ humanizeDuration 12.3456 }}"),
            "0s 14m 59s 1d 1h 1m 1s 12.3ms -1m 0s 12.35s");
  EXPECT_EQ(render("{{ humanizePercentage 0.1234567 }} {{ humanizeTimestamp 1257894000.25 }}"),
            "12.35% 2009-11-10 23:00:00.249 +0000 UTC");
  EXPECT_EQ(render("{{ humanize \"1500\" }} {{ humanize \"NaN\" }} {{ humanize \"+Inf\" }}"), "1.5k NaN +Inf");
}

TEST(Template, ChangesTexts) {
  EXPECT_EQ(render("{{ toUpper \"ab\" }} {{ toLower \"AB\" }} {{ title \"hello world\" }} {{ trimSpace \"  x \" }}"),
            "AB ab Hello World x");
  EXPECT_EQ(render("{{ slackEscape \"a<b> & c\" }}"), "a&lt;b&gt; &amp; c");
  EXPECT_EQ(render("{{ reReplaceAll \"(.*):.*\" \"$1\" \"web1:9100\" }} {{ match \"^w.b\" \"web1\" }}"), "web1 true");
  EXPECT_EQ(render("{{ reReplaceAll \"(?P<h>[a-z]+)([0-9])\" \"${2}-${h}\" \"web1\" }}"), "1-web");
  EXPECT_EQ(
      render("{{ stripPort \"web1:9100\" }} {{ stripDomain \"web1.example.org:80\" }} {{ parseDuration \"1h30m\" }}"),
      "web1 web1:80 5400");
  EXPECT_EQ(render("{{ html \"<a>\" }} {{ urlquery \"a b&c\" }} {{ slice \"abcdef\" 1 3 }}"), "&lt;a&gt; a+b%26c bc");
  EXPECT_EQ(render("{{ externalURL }} {{ pathPrefix }}"), "http://h/at /at");
}

TEST(Template, WritesJson) {
  EXPECT_EQ(render("{{ toJson .list }} {{ toJson \"a\\\"b\\n\" }}"), R"(["x","y","z"] "a\"b\n")");
}

TEST(Template, CallsDefinedTemplates) {
  EXPECT_EQ(
      render("{{ define \"t\" }}<{{ . }}>{{ end }}{{ template \"t\" .n }}{{ block \"u\" .status }}[{{ . }}]{{ end }}"),
      "<3>[firing]");
}

TEST(Template, IndexesAndReportsWhatIsOutOfRange) {
  EXPECT_EQ(render("{{ index .list 1 }} {{ (index .Alerts 0).labels.disk }} {{ index .groupLabels \"instance\" }}"),
            "y a web1");
  EXPECT_NE(render("{{ index .list 3 }}").find("out of range"), std::string::npos);
}

TEST(Template, SaysThatQueryIsNotAvailable) {
  EXPECT_NE(render("{{ query \"up\" }}").find("not available here"), std::string::npos);
}

TEST(Template, NamesThePlaceOfAFault) {
  EXPECT_EQ(place_of_error("line one\n  {{ nofunction }}"), "t:2:6");
  EXPECT_EQ(place_of_error("{{ if .x }}\n"), "t:1:1");
  EXPECT_EQ(place_of_error("{{ $nope }}"), "t:1:4");
  EXPECT_EQ(place_of_error("{{ \"open }}"), "t:1:4");
  EXPECT_EQ(place_of_error("{{ end }}"), "t:1:1");
  EXPECT_EQ(place_of_error("{{ humanize }}"), "t:1:4");
  EXPECT_EQ(place_of_error("{{ template \"nope\" }}"), "t:1:1");
  EXPECT_EQ(place_of_error("{{ .x"), "t:1:6");
}

TEST(Template, StopsATemplateThatNeverEnds) {
  const auto parsed = Template::parse("{{ define \"a\" }}{{ template \"a\" . }}{{ end }}{{ template \"a\" . }}");
  ASSERT_TRUE(parsed);
  EXPECT_FALSE(parsed->render(kData));
}

TEST(Template, BoundsOutputAndWork) {
  std::string nested = "{{ $s := \"xxxxxxxxxxxxxxxx\" }}";
  for (int i = 0; i < 30; ++i) nested += "{{ $s = printf \"%s%s\" $s $s }}";
  const auto doubling = Template::parse(nested);
  ASSERT_TRUE(doubling);
  const auto result = doubling->render(kData);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kTooLarge);
}

TEST(Template, RefusesAFormatThatWouldFillMemory) {
  EXPECT_NE(render("{{ printf \"%1000000000d\" 1 }}").find("above 4096"), std::string::npos);
}

TEST(Template, AsksSeriesByTheQueryThatIsBroughtAlong) {
  auto parsed = Template::parse(
      R"({{ with query "up" }}{{ . | sortByLabel "id" | first | label "id" }}{{ range sortByLabel "id" . }} {{ label "id" . }}={{ value . }}{{ end }}{{ end }})",
      {.file = "t", .functions = {{"query", 1, 1}}});
  ASSERT_TRUE(parsed) << to_string(parsed.error());
  RenderOptions options;
  options.call = [](std::string_view, const Arguments& arguments) -> Result<Value> {
    EXPECT_EQ(print(*arguments[0]), "up");
    return Value(json::parse(R"([{"Labels":{"id":"b"},"Value":2},{"Labels":{"id":"a"},"Value":1}])"));
  };
  EXPECT_EQ(*parsed->render(json::object{}, options), "a a=1 b=2");
}

TEST(Template, KnowsTheFunctionsOfTimeAndOfLinks) {
  auto parsed = Template::parse(
      R"({{ now | toTime }} {{ toDuration 7815 }} {{ toDuration 0.25 }} {{ graphLink "up == 0" }} {{ tableLink "up" }} {{ urlQueryEscape "a b" }})");
  ASSERT_TRUE(parsed) << to_string(parsed.error());
  RenderOptions options;
  options.now = from_ms(1'643'114'203'000);
  EXPECT_EQ(*parsed->render(json::object{}, options),
            "2022-01-25 12:36:43 +0000 UTC 2h10m15s 250ms /graph?g0.expr=up+%3D%3D+0&g0.tab=0 "
            "/graph?g0.expr=up&g0.tab=1 a+b");
}

TEST(Template, TimesHaveTheMethodsOfGo) {
  EXPECT_EQ(
      render(
          "{{ with toTime 1435065584.128 }}{{ .Year }} {{ .Month }} {{ .Day }} {{ .Hour }} {{ .Minute }} {{ .Second }} "
          "{{ .Nanosecond }} {{ .Weekday }} {{ .YearDay }} {{ .Unix }} {{ .UnixMilli }}{{ end }}"),
      "2015 June 23 13 19 44 128000000 Tuesday 174 1435065584 1435065584128");
  EXPECT_EQ(render("{{ toTime 1435065584.128 }}"), "2015-06-23 13:19:44.128 +0000 UTC");
  EXPECT_EQ(render("{{ (toTime 1435065584.128).Format \"Mon Jan _2 15:04:05 2006\" }}"), "Tue Jun 23 13:19:44 2015");
  EXPECT_EQ(render("{{ (toTime 1435065584.128).Format \"2006-01-02T15:04:05.000Z07:00\" }}"),
            "2015-06-23T13:19:44.128Z");
  EXPECT_EQ(render("{{ (toTime 1435065584).Format \"Monday, 2 January 06, 3:4:5PM MST -0700 002 __2 .999\" }}"),
            "Tuesday, 23 June 15, 1:19:44PM UTC +0000 174 174 ");
  EXPECT_EQ(render("{{ (toTime -1).Format \"2006-01-02 03:04:05 pm\" }}"), "1969-12-31 11:59:59 pm");
  EXPECT_EQ(render("{{ ((toTime 10).Add (toDuration 5)).Unix }} {{ (toTime 10).Sub (toTime 4) }} "
                   "{{ (toTime 10).After (toTime 4) }} {{ (toTime 10).Before (toTime 4) }}"),
            "15 6s true false");
  EXPECT_NE(render("{{ (toTime 1).Years }}").find("can't evaluate field Years in type *time.Time"), std::string::npos);
  EXPECT_NE(render("{{ toTime \"NaN\" }}").find("value is NaN or Inf"), std::string::npos);
  EXPECT_NE(render("{{ (toTime 1).Format 5 }}").find("must be a string"), std::string::npos);
}

TEST(Template, DurationsHaveTheMethodsOfGo) {
  EXPECT_EQ(render("{{ with toDuration 5430.5 }}{{ . }} {{ .Hours }} {{ .Minutes }} {{ .Seconds }} {{ .Milliseconds "
                   "}}{{ end }}"),
            "1h30m30.5s 1.5084722222222222 90.50833333333334 5430.5 5430500");
  EXPECT_EQ(render("{{ toDuration -0.0000015 }} {{ (toDuration -90).Abs }} {{ (toDuration 89).Round (toDuration 60) }} "
                   "{{ (toDuration 89).Truncate (toDuration 60) }} {{ printf \"%.1f\" (toDuration 90).Minutes }}"),
            "-1.5µs 1m30s 1m0s 1m0s 1.5");
}

TEST(Template, PrintfKnowsBasesAndCharacters) {
  EXPECT_EQ(render("{{ printf \"%o %O %b %#o %c %U %q %c\" 8 8 5 8 65 8364 120 8364 }}"),
            "10 0o10 101 010 A U+20AC 'x' €");
  EXPECT_EQ(render("{{ printf \"%c %o\" \"x\" 1.5 }}"), "%!c(string=x) %!o(float64=1.5)");
}

/// As rules have them: `$labels` are a map of texts, `$value` a number with decimals.
std::string render_rule(std::string_view text) {
  const ParseOptions options{.variables = {"labels", "value"}, .as_go = true};
  auto parsed = Template::parse(text, options);
  if (!parsed) return "parse: " + parsed.error().message;
  const json::value labels = json::object{{"a", "b"}, {"host", "web1:80"}};
  const json::value data = json::object{{"Labels", labels}, {"ExternalLabels", json::object{}}, {"Value", 1234.0}};
  auto out = parsed->render(data, {.variables = {{"labels", labels}, {"value", 1234.0}}, .strict = true});
  return out ? *out : "render: " + out.error().message;
}

TEST(RuleTemplate, NumbersOfDifferentTypesCannotBeCompared) {
  EXPECT_EQ(render_rule("{{ if gt $value 1 }}x{{ end }}"),
            "render: template: error calling gt: incompatible types for comparison");
  for (const auto* text : {"{{ eq $value 1234 }}", "{{ lt 1 2.5 }}", "{{ eq 1 1.0 }}", "{{ ge 1e3 1000 }}"}) {
    EXPECT_NE(render_rule(text).find("incompatible types"), std::string::npos) << text;
  }
  EXPECT_EQ(render_rule("{{ gt $value 1.0 }} {{ eq 1e3 1000.0 }} {{ lt 1 2 }} {{ gt (len $labels) 1 }}"),
            "true true true true");
}

TEST(RuleTemplate, AMissingLabelIsATextWithoutFields) {
  EXPECT_EQ(render_rule("[{{ $labels.nope }}{{ printf \"%s%v\" $labels.nope .Labels.x }}{{ len $labels.nope }}]"),
            "[0]");
  EXPECT_EQ(render_rule("{{ $labels.nope.x }}"), "render: template: can't evaluate field x in type string");
  EXPECT_EQ(render_rule("{{ printf \"%v %s %d\" nil nil nil }}"), "<nil> %!s(<nil>) %!d(<nil>)");
}

TEST(RuleTemplate, FunctionsOfTextsTakeNothingElse) {
  EXPECT_EQ(render_rule("{{ $value | toUpper }}"),
            "render: template: wrong type for value; expected string; got float64");
  EXPECT_NE(render_rule("{{ match \"1\" 1 }}").find("expected string; got int"), std::string::npos);
  EXPECT_EQ(render_rule("{{ $labels.nope | toUpper }}{{ $labels.a | title }}"), "B");
}

TEST(RuleTemplate, TheDataArePrintedAsAStructure) {
  EXPECT_EQ(render_rule("{{ . }}"), "{map[a:b host:web1:80] map[] 1234}");
}

TEST(RuleTemplate, WhatGoFindsOnlyWhenItExecutesParses) {
  EXPECT_EQ(render_rule("{{ humanize }}"), "render: template: wrong number of args for humanize: want 1 got 0");
  EXPECT_EQ(render_rule("{{ eq 1 }}"), "render: template: wrong number of args for eq: want at least 2 got 1");
  EXPECT_EQ(render_rule("{{ and }}"), "render: template: wrong number of args for and: want at least 1 got 0");
  EXPECT_EQ(render_rule("{{ template \"x\" }}"), "render: template: template \"x\" not defined");
  EXPECT_EQ(render_rule("{{ $labels \"i\" }}"), "render: template: can't give argument to non-function");
  EXPECT_EQ(render_rule("{{ 1 | $labels }}"), "render: template: can't give argument to non-function");
  EXPECT_EQ(render_rule("{{ call $labels }}"), "render: template: error calling call: non-function of type map");
  EXPECT_EQ(render_rule("{{ if false }}{{ not }}{{ query 1 2 }}{{ end }}x"), "x");
  for (const auto* text : {"{{ 1 | 2 }}", "{{ 1 | . }}", "{{ nofunction }}", "{{ 1 |  }}", "{{ $x }}", "{{ if }}"}) {
    EXPECT_TRUE(render_rule(text).starts_with("parse: ")) << text;
  }
}

TEST(RuleTemplate, NumbersAreWrittenAsInGo) {
  EXPECT_EQ(
      render_rule("{{ 1_000 }} {{ 0b11 }} {{ 0o17 }} {{ 017 }} {{ 0x_ff }} {{ -0x10 }} {{ 0x1p4 }} {{ 1_0.5e-1 }} "
                  "{{ 1i }} {{ -2.5i }} {{ 'a' }} {{ 'é' }} {{ '\\n' }} {{ .5 }}"),
      "1000 3 15 15 255 -16 16 1.05 (0+1i) (0-2.5i) 97 233 10 0.5");
  for (const auto* text : {"{{ 1__0 }}", "{{ 1_ }}", "{{ 0b12 }}", "{{ 08 }}", "{{ 99999999999999999999 }}",
                           "{{ 1.2.3 }}", "{{ 12a }}", "{{ '' }}", "{{ 'ab' }}", "{{ 0x }}"}) {
    EXPECT_TRUE(render_rule(text).starts_with("parse: ")) << text;
  }
}

TEST(RuleTemplate, ACommentFillsItsAction) {
  EXPECT_EQ(render_rule("a{{/* c */}}b {{- /* c */ -}} d"), "abd");
  for (const auto* text : {"{{ /* c */}}", "{{/* c */ }}", "{{/* c */  -}}", "{{-  /* c */}}", "{{/* c"}) {
    EXPECT_TRUE(render_rule(text).starts_with("parse: ")) << text;
  }
}

TEST(RuleTemplate, TimesAreCutToMilliseconds) {
  EXPECT_EQ(render_rule("{{ 1234.5678 | humanizeTimestamp }} {{ -1.2345 | humanizeTimestamp }}"),
            "1970-01-01 00:20:34.567 +0000 UTC 1969-12-31 23:59:58.766 +0000 UTC");
  EXPECT_NE(render_rule("{{ 1e11 | humanizeTimestamp }}").find("overflows int64"), std::string::npos);
}

TEST(RuleTemplate, TextsChangeLettersOfAllScripts) {
  EXPECT_EQ(render_rule("{{ \"foo:bar it's (x)\" | title }} {{ \"äö\" | toUpper }} {{ \"ÄÖ\" | toLower }}"),
            "Foo:Bar It'S (X) ÄÖ äö");
}

TEST(RuleTemplate, AddressesAreDividedAsGoDoes) {
  EXPECT_EQ(
      render_rule("{{ \"1.2.3\" | stripDomain }} {{ \"1.2.3.4:80\" | stripDomain }} {{ \"[::1]:80\" | stripDomain }} "
                  "{{ \"a.b:80\" | stripDomain }} {{ \"a.b:c:80\" | stripDomain }} {{ \"::1\" | stripDomain }}"),
      "1 1.2.3.4:80 [::1]:80 a:80 a ::1");
  EXPECT_EQ(render_rule("{{ \"[::1]:80\" | stripPort }} {{ \"::1\" | stripPort }} {{ \"[::1]\" | stripPort }} "
                        "{{ \"a.b:80\" | stripPort }}"),
            "::1 ::1 [::1] a.b");
}

TEST(RuleTemplate, PrintfKnowsWhatGoKnows) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {R"("%-3s|%3s|" "é" "é")", "é  |  é|"},
      {R"("%[2]d %[1]d" 1 2)", "2 1"},
      {R"("%[3]d" 1 2)", "%!d(BADINDEX)"},
      {R"("%[2]*.[1]*f|" 2 7 3.14159)", "%!f(int=     07)|"},
      {R"("%[3]*.[2]*[1]f|" 12.0 2 6)", " 12.00|"},
      {R"("%#x %#X %#o %#b % d %+d" 255 255 8 5 42 42)", "0xff 0XFF 010 0b101  42 +42"},
      {R"("%+q %q %#q %x % x %#x" "é" "a\tb" "a\"b" "hi" "hi" "hi")", R"("\u00e9" "a\tb" `a"b` 6869 68 69 0x6869)"},
      {R"("%s|%v|%d|%q" $labels $labels $labels (stringSlice "a" "b"))",
       R"(map[a:b host:web1:80]|map[a:b host:web1:80]|map[%!d(string=a):%!d(string=b) %!d(string=host):%!d(string=web1:80)]|["a" "b"])"},
      {R"("%05d|%+05d|%-5d|%.3d|%5.3d|%x" 42 42 42 7 7 -255)", "00042|+0042|42   |007|  007|-ff"},
      {R"("%6.2f|%-8.1e|%08.3f|%+.1f|%g|%G" 3.14159 12345.6 -3.14159 2.0 1e21 1e21)",
       "  3.14|1.2e+04 |-003.142|+2.0|1e+21|1E+21"},
      {R"("%T %T %T" 1 $labels "x")", "int map[string]string string"},
      {R"("%d %s" 1.5 2)", "%!d(float64=1.5) %!s(int=2)"},
      {R"("%5t|%t|%z|%" true 1 2)", " true|%!t(int=1)|%!z(int=2)|%!(NOVERB)"},
      {R"("%*d|%-*d|" 5 42 5 42)", "   42|42   |"},
      {R"("%.2s|%.1q" "äöü" "äö")", "äö|\"ä\""},
      {R"("%d" 1 2)", "1%!(EXTRA int=2)"},
      {R"("%é" 1)", "%!é(int=1)"},
  };
  for (const auto& [call, wanted] : cases) EXPECT_EQ(render_rule("{{ printf " + call + " }}"), wanted) << call;
  EXPECT_EQ(render_rule("{{ index \"abc\" 1 }}"), "98");
}

}  // namespace
}  // namespace atalaya::templates
