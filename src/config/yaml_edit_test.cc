#include "config/yaml_edit.h"

#include <gtest/gtest.h>

#include <functional>

namespace atalaya::config {
namespace {

/// The text after a change, or the error.
std::string edit(std::string text, const std::function<Status(YamlEditor&)>& change) {
  const auto before = text;
  auto editor = YamlEditor::open(std::move(text), "a.yaml").value();
  if (const auto done = change(editor); !done) {
    EXPECT_EQ(editor.text(), before);
    return std::string(name(done.error().code));
  }
  return editor.text();
}
std::string set(std::string text, const YamlPath& path, const YamlValue& value) {
  return edit(std::move(text), [&](auto& e) { return e.set(path, value); });
}
std::string insert(std::string text, const YamlPath& path, const std::string& key, const YamlValue& value) {
  return edit(std::move(text), [&](auto& e) { return e.insert(path, key, value); });
}
std::string append(std::string text, const YamlPath& path, const YamlValue& value) {
  return edit(std::move(text), [&](auto& e) { return e.append(path, value); });
}
std::string remove(std::string text, const YamlPath& path) {
  return edit(std::move(text), [&](auto& e) { return e.remove(path); });
}
std::string rename(std::string text, const YamlPath& path, const std::string& to) {
  return edit(std::move(text), [&](auto& e) { return e.rename(path, to); });
}

const std::string kPackage = R"(# Rules of the storage team.
package:   host   # keep this name
version: '1.0.0'

rules:
  disk:
    # Ana asked for this one.
    filling:
      for:  30s     # was 1m
      gauge: {expr: "a / b", below: {warning: 0.15}}
      text: |  # shown on the pager
        First line.
        Second line.

    # Nobody remembers why.
    full:
      for: 1m
  # end of rules
channels: {}
)";

TEST(YamlEdit, ManyTextsAreSetAtOnceOrNone) {
  const std::string before = "a: &x [one, 'two'] # kept\nb: {c: \"three\", d: 4}\ne: *x\nf: |\n  text\n";
  const auto set_all = [&](const std::vector<std::pair<YamlPath, std::string>>& texts) {
    return edit(before, [&](auto& e) { return e.set_all(texts); });
  };
  EXPECT_EQ(set_all({{{"b", "c"}, "drei"}, {{"b", "d"}, "it: 4"}}),
            "a: &x [one, 'two'] # kept\nb: {c: \"drei\", d: \"it: 4\"}\ne: *x\nf: |\n  text\n");
  EXPECT_EQ(set_all({{{"b", "c"}, "drei"}, {{"a", "1"}, "zwei"}}), "unprocessable") << "e would change, too";
  EXPECT_EQ(set_all({{{"b", "c"}, "drei"}, {{"f"}, "Text"}}), "unprocessable");
  EXPECT_EQ(set_all({{{"b", "c"}, "drei"}, {{"g"}, "new"}}), "not_found");
  EXPECT_EQ(set_all({}), before);
}

TEST(YamlEdit, AScalarIsReplacedInItsStyleAndNothingElseChanges) {
  auto expected = kPackage;
  expected.replace(expected.find("30s"), 3, "45s");
  EXPECT_EQ(set(kPackage, {"rules", "disk", "filling", "for"}, "45s"), expected);
  expected = kPackage;
  expected.replace(expected.find("'1.0.0'"), 7, "'it''s 2'");
  EXPECT_EQ(set(kPackage, {"version"}, "it's 2"), expected);
  expected = kPackage;
  expected.replace(expected.find("\"a / b\""), 7, "\"a \\\"b\\\"\"");
  EXPECT_EQ(set(kPackage, {"rules", "disk", "filling", "gauge", "expr"}, "a \"b\""), expected);
  expected = kPackage;
  expected.replace(expected.find("0.15"), 4, "0.2");
  EXPECT_EQ(set(kPackage, {"rules", "disk", "filling", "gauge", "below", "warning"}, 0.2), expected);
}

TEST(YamlEdit, ABlockOfTextKeepsItsHeaderIndentAndNeighbours) {
  const auto changed = set(kPackage, {"rules", "disk", "filling", "text"}, "One.\n\nTwo.");
  EXPECT_NE(changed.find("      text: |- # shown on the pager\n        One.\n\n        Two.\n\n    # Nobody"),
            std::string::npos)
      << changed;
  const auto single = set(kPackage, {"rules", "disk", "filling", "text"}, "One line");
  EXPECT_NE(single.find("      text: One line # shown on the pager\n\n    # Nobody"), std::string::npos) << single;
}

TEST(YamlEdit, TextsThatWouldMeanSomethingElseAreQuoted) {
  EXPECT_EQ(set("a: x\n", {"a"}, "true"), "a: \"true\"\n");
  EXPECT_EQ(set("a: x\n", {"a"}, "12"), "a: \"12\"\n");
  EXPECT_EQ(set("a: x\n", {"a"}, ""), "a: \"\"\n");
  EXPECT_EQ(set("a: x\n", {"a"}, "b: c"), "a: \"b: c\"\n");
  EXPECT_EQ(set("a: x\n", {"a"}, "b # c"), "a: \"b # c\"\n");
  EXPECT_EQ(set("a: [x]\n", {"a", "0"}, "b, c"), "a: [\"b, c\"]\n");
  EXPECT_EQ(set("a: x\n", {"a"}, "b, c"), "a: b, c\n");
  EXPECT_EQ(set("a: 'x'\n", {"a"}, "tab\there\n"), "a: \"tab\\there\\n\"\n");
  EXPECT_EQ(set("a: x\n", {"a"}, 12), "a: 12\n");
  EXPECT_EQ(set("a: x\n", {"a"}, YamlValue()), "a: null\n");
}

TEST(YamlEdit, NothingBecomesAScalar) {
  EXPECT_EQ(set("a:   # soon\nb: 1\n", {"a"}, "x"), "a: x   # soon\nb: 1\n");
  EXPECT_EQ(set("- \n- b\n", {"0"}, "x"), "- x \n- b\n");
}

TEST(YamlEdit, WordsThatOlderReadersTakeForBooleansAreQuotedAsValues) {
  EXPECT_EQ(set("a: x\n", {"a"}, "yes"), "a: \"yes\"\n");
  EXPECT_EQ(insert("a: 1\n", {}, "on", YamlValue::map({{"off", "On"}, {"b", "onto"}})),
            "a: 1\non:\n  off: \"On\"\n  b: onto\n");
}

TEST(YamlEdit, WhatAnAliasRepeatsElsewhereIsToldWithThatPlace) {
  auto editor = YamlEditor::open("a: &base {x: 1, y: &in 2} # *base\nb: {<<: *base}\nc: *in\n", "f.yaml").value();
  const auto told = [&](const YamlPath& path) { return to_string(editor.set(path, 3).error()); };
  EXPECT_EQ(told({"a", "x"}),
            "f.yaml:1:4: a.x cannot be changed in place: &base is used at 2:9 (change the file by hand)");
  EXPECT_EQ(to_string(editor.remove({"a"}).error()),
            "f.yaml:1:4: a cannot be changed in place: &base is used at 2:9 (change the file by hand)");
}

TEST(YamlEdit, AKeyIsAddedAtTheEndOfItsMapping) {
  const auto changed = insert(kPackage, {"rules", "disk", "filling"}, "title", "Disk: full");
  auto expected = kPackage;
  expected.insert(expected.find("\n    # Nobody"), "      title: \"Disk: full\"\n");
  EXPECT_EQ(changed, expected);
  expected = kPackage;
  expected.insert(expected.find("  # end of rules"), "    slow:\n      for: 5m\n      on: [a, b]\n");
  // Lists are written as blocks.
  expected.replace(expected.find("      on: [a, b]\n"), 17, "      on:\n        - a\n        - b\n");
  EXPECT_EQ(
      insert(kPackage, {"rules", "disk"}, "slow", YamlValue::map({{"for", "5m"}, {"on", YamlValue::list({"a", "b"})}})),
      expected);
  EXPECT_EQ(insert(kPackage, {"rules", "disk", "filling", "gauge"}, "hysteresis", 0.01)
                .find("warning: 0.15}, hysteresis: 0.01}"),
            kPackage.find("warning: 0.15}"));
}

TEST(YamlEdit, AnEmptyMappingOpensBelowItsKey) {
  EXPECT_EQ(insert("a: {}  # none yet\nb: 1\n", {"a"}, "k", "v"), "a:  # none yet\n  k: v\nb: 1\n");
  EXPECT_EQ(insert("a:\n  b:\nc: 1\n", {"a", "b"}, "k", "v"), "a:\n  b:\n    k: v\nc: 1\n");
  EXPECT_EQ(insert("{}\n", {}, "k", "v"), "k: v\n\n");
  EXPECT_EQ(insert("# only words\n", {}, "k", "v"), "# only words\nk: v\n");
  EXPECT_EQ(insert("a: [{}]\n", {"a", "0"}, "k", "v"), "a: [{k: v}]\n");
  EXPECT_EQ(insert("a: 1", {}, "k", "v"), "a: 1\nk: v\n");
  EXPECT_EQ(insert("- a: 1\n", {"0"}, "k", "v"), "- a: 1\n  k: v\n");
}

TEST(YamlEdit, ItemsAreAppended) {
  EXPECT_EQ(append("a:\n- x # first\n\nb: 1\n", {"a"}, "y"), "a:\n- x # first\n- y\n\nb: 1\n");
  EXPECT_EQ(append("a: [x,\n    y]\n", {"a"}, "z"), "a: [x,\n    y, z]\n");
  EXPECT_EQ(append("a: []\n", {"a"}, YamlValue::map({{"k", 1}, {"l", 2}})), "a:\n  - k: 1\n    l: 2\n");
}

TEST(YamlEdit, ARemovedEntryTakesItsCommentsAlong) {
  auto expected = kPackage;
  const auto from = expected.find("    # Nobody");
  expected.erase(from, expected.find("  # end of rules") - from);
  EXPECT_EQ(remove(kPackage, {"rules", "disk", "full"}), expected);
  expected = kPackage;
  expected.erase(expected.find("      for:  30s"), std::string("      for:  30s     # was 1m\n").size());
  EXPECT_EQ(remove(kPackage, {"rules", "disk", "filling", "for"}), expected);
  expected = kPackage;
  expected.erase(expected.find("package:"), expected.find("version") - expected.find("package:"));
  EXPECT_EQ(remove(kPackage, {"package"}), expected);
}

TEST(YamlEdit, TheLastEntryLeavesAnEmptyMapping) {
  EXPECT_EQ(remove("a:   # group\n  b: 1\nc: 2\n", {"a", "b"}), "a: {}   # group\nc: 2\n");
  EXPECT_EQ(remove("a: 1\n", {"a"}), "{}\n");
  EXPECT_EQ(remove("a:\n  - x\n", {"a", "0"}), "a: []\n");
  EXPECT_EQ(remove("- a: 1\n", {"0", "a"}), "- {}\n");
}

TEST(YamlEdit, EntriesBetweenBracketsAreRemoved) {
  EXPECT_EQ(remove("x: {a: 1, b: 2, c: 3}\n", {"x", "a"}), "x: {b: 2, c: 3}\n");
  EXPECT_EQ(remove("x: {a: 1, b: 2, c: 3}\n", {"x", "b"}), "x: {a: 1, c: 3}\n");
  EXPECT_EQ(remove("x: {a: 1, b: 2, c: 3}\n", {"x", "c"}), "x: {a: 1, b: 2}\n");
  EXPECT_EQ(remove("x: [a]\n", {"x", "0"}), "x: []\n");
}

TEST(YamlEdit, ItemsOfListsAreRemoved) {
  EXPECT_EQ(remove("a:\n  - x: 1\n    y: 2\n  # of z\n  - z\n", {"a", "0"}), "a:\n  # of z\n  - z\n");
  EXPECT_EQ(remove("a:\n  - x: 1\n    y: 2\n  # of z\n  - z\n", {"a", "1"}), "a:\n  - x: 1\n    y: 2\n");
  EXPECT_EQ(remove("- x: 1\n  y: 2\n", {"0", "x"}), "- y: 2\n");
}

TEST(YamlEdit, AKeyIsRenamedInItsQuoting) {
  auto expected = kPackage;
  expected.replace(expected.find("filling:"), 7, "getting-full");
  EXPECT_EQ(rename(kPackage, {"rules", "disk", "filling"}, "getting-full"), expected);
  EXPECT_EQ(rename("'a' : 1\n", {"a"}, "b"), "'b' : 1\n");
  EXPECT_EQ(rename("a: 1\n", {"a"}, "b: c"), "\"b: c\": 1\n");
  EXPECT_EQ(rename("a: 1\nb: 2\n", {"a"}, "b"), "already_exists");
}

TEST(YamlEdit, WhatCannotBeDoneChangesNothing) {
  EXPECT_EQ(set("a: {b: 1}\n", {"a"}, 1), "unprocessable");
  EXPECT_EQ(set("a: 1\n", {"b"}, 1), "not_found");
  EXPECT_EQ(set("a: [1]\n", {"a", "1"}, 1), "not_found");
  EXPECT_EQ(insert("a: 1\n", {"a"}, "b", 1), "unprocessable");
  EXPECT_EQ(insert("a: {b: 1}\n", {"a"}, "b", 1), "already_exists");
  EXPECT_EQ(remove("a: 1\n", {}), "unprocessable");
  EXPECT_EQ(remove("a: &x 1\nb: *x\n", {"a"}), "unprocessable");
}

TEST(YamlEdit, AnAnchoredValueIsNotChangedBehindItsAliases) {
  EXPECT_EQ(set("a: &x {k: 1}\nb: *x\n", {"a", "k"}, 2), "unprocessable");
  EXPECT_EQ(set("a: &x {k: 1}\nb: *x\n", {"b", "k"}, 2), "unprocessable");
  EXPECT_EQ(set("a: &x 1\nb: *x\n", {"b"}, 2), "a: &x 1\nb: 2\n");
  EXPECT_EQ(set("a: &x {k: 1}\nb:\n  <<: *x\n", {"b", "k"}, 2), "unprocessable");
}

TEST(YamlEdit, WindowsLineEndsStay) {
  EXPECT_EQ(insert("a:\r\n  b: 1\r\nc: 2\r\n", {"a"}, "k", "v"), "a:\r\n  b: 1\r\n  k: v\r\nc: 2\r\n");
  EXPECT_EQ(remove("a:\r\n  b: 1\r\n  d: 1\r\nc: 2\r\n", {"a", "b"}), "a:\r\n  d: 1\r\nc: 2\r\n");
}

TEST(YamlEdit, AnyValueTakesThePlaceOfAnyOther) {
  const auto replace = [](std::string text, const YamlPath& path, const YamlValue& value) {
    return edit(std::move(text), [&](auto& e) { return e.replace(path, value); });
  };
  const auto map = YamlValue::map({{"k", 1}});
  EXPECT_EQ(replace("a: x  # c\nb: 1\n", {"a"}, map), "a:  # c\n  k: 1\nb: 1\n");
  EXPECT_EQ(replace("a:\n    # c\n    k: 2  # d\n    l: 3\nb: 1\n", {"a"}, map), "a:\n    # c\n    k: 1  # d\nb: 1\n");
  EXPECT_EQ(replace("a:\n  k: 2\nb: 1\n", {"a"}, "x"), "a: x\nb: 1\n");
  EXPECT_EQ(replace("a: {b: x, c: 1}\n", {"a", "b"}, map), "a: {b: {k: 1}, c: 1}\n");
  EXPECT_EQ(replace("a:\n- x\n- y  # c\n", {"a", "0"}, map), "a:\n- k: 1\n- y  # c\n");
  EXPECT_EQ(replace("a: |\n  x\n\nb: 1\n", {"a"}, map), "a:\n  k: 1\n\nb: 1\n");
  EXPECT_EQ(replace("a: &n x\nb: *n\n", {"a"}, map), "unprocessable");
}

TEST(YamlEdit, ANodeIsShownBareAndPutBack) {
  auto editor = YamlEditor::open(kPackage, "a.yaml").value();
  const YamlPath path{"rules", "disk", "full"};
  EXPECT_EQ(editor.bare_text(path).value(), "# Nobody remembers why.\nfor: 1m\n");
  EXPECT_EQ(editor.entry_text(path).value(), "# Nobody remembers why.\nfull:\n  for: 1m\n");
  ASSERT_TRUE(editor.replace_text(path, "# Nobody remembers why.\nfor: 1m\n"));
  EXPECT_EQ(editor.text(), kPackage);
  ASSERT_TRUE(editor.replace_text(path, "for: 2m  # twice\n"));
  auto expected = kPackage;
  const std::string old = "    # Nobody remembers why.\n    full:\n      for: 1m\n";
  expected.replace(expected.find(old), old.size(), "    full:\n      for: 2m  # twice\n");
  EXPECT_EQ(editor.text(), expected);
}

TEST(YamlEdit, EntriesAreInsertedWithTheirCommentsAndPartedAsTheOthersAre) {
  const auto insert_text = [](std::string text, const YamlPath& path, const std::string& entries) {
    return edit(std::move(text), [&](auto& e) { return e.insert_text(path, entries); });
  };
  EXPECT_EQ(insert_text("a:\n  b: 1\n\n  c: 2\nd: 3\n", {"a"}, "# x\ne: 4  # y\n"),
            "a:\n  b: 1\n\n  c: 2\n\n  # x\n  e: 4  # y\nd: 3\n");
  EXPECT_EQ(insert_text("a:\n  b: 1\n  c: 2\n    # right of c\n  # left\n", {"a"}, "e: 4"),
            "a:\n  b: 1\n  c: 2\n    # right of c\n  e: 4\n  # left\n");
  EXPECT_EQ(insert_text("a: {b: 1}\n", {"a"}, "# x\ne: 4\n"), "a: {b: 1, e: 4}\n");
  EXPECT_EQ(insert_text("a: |\n  x", {}, "e: 4\n"), "a: |-\n  x\ne: 4\n");
  EXPECT_EQ(insert_text("a: 1\n", {}, "a: 4\n"), "already_exists");
}

TEST(YamlEdit, LinesBetweenBracketsGoWithTheirCommentsAndLeaveThoseOfTheOthers) {
  EXPECT_EQ(remove("x: {\n  a: 1,  # of a\n  # of b\n  b: 2,\n}\n", {"x", "a"}), "x: {\n  # of b\n  b: 2,\n}\n");
  EXPECT_EQ(remove("x: {\n  a: 1,  # of a\n  # of b\n  b: 2\n}\n", {"x", "b"}), "x: {\n  a: 1,  # of a\n}\n");
  EXPECT_EQ(remove("x: {a: 1, b: 2,   # c\n    d: 3}\n", {"x", "b"}), "x: {a: 1,   # c\n    d: 3}\n");
}

TEST(YamlEdit, AByteOrderMarkIsNoIndentation) {
  EXPECT_EQ(insert("\xef\xbb\xbf"
                   "a: 1\n",
                   {}, "b", 2),
            "\xef\xbb\xbf"
            "a: 1\nb: 2\n");
}

TEST(YamlEdit, ManyChangesInARow) {
  auto editor = YamlEditor::open(kPackage, "a.yaml").value();
  ASSERT_TRUE(editor.insert({"channels"}, "ops", YamlValue::map({{"hook", "http://x/#y"}})));
  ASSERT_TRUE(editor.rename({"channels", "ops"}, "team"));
  ASSERT_TRUE(editor.set({"channels", "team", "hook"}, "http://z/"));
  ASSERT_TRUE(editor.remove({"rules", "disk", "full"}));
  ASSERT_TRUE(editor.remove({"rules", "disk", "filling"}));
  EXPECT_TRUE(editor.text().ends_with("  disk: {}\n\n  # end of rules\nchannels:\n  team:\n    hook: \"http://z/\"\n"))
      << editor.text();
  EXPECT_TRUE(editor.text().starts_with("# Rules of the storage team.\npackage:   host   # keep this name\n"));
}

TEST(YamlValue, WhatIsWrittenReadsBackTheSame) {
  YamlValue value;
  const std::vector<std::string> texts{"",           "plain",   "true",        "null",         "~",
                                       "12",         "-5",      "1e3",         " lead",        "trail ",
                                       "a: b",       "a:",      "a #b",        "#x",           "- x",
                                       "-",          "-x",      "? q",         "*a",           "&a",
                                       "!t",         "@x",      "`x",          "%x",           "|",
                                       ">",          "'q'",     "\"q\"",       "{a}",          "[a]",
                                       "a,b",        "a\nb",    "a\n",         "\n",           "a\n\n",
                                       " a\nb\n",    "a\n b\n", "\ttab",       "a\tb",         "\x01",
                                       "\x7f",       "ñ € 🙂",  "\xc2\x85",    "\xe2\x80\xa8", "\xef\xbb\xbf",
                                       "a\xc2\x80z", "---",     "--- x",       "...",          "a\r\nb",
                                       "yes",        "0x1f",    "http://h/#x", "a: \n",        "back\\slash",
                                       "x:y",        "=",       "<<",          "12:30"};
  for (std::size_t i = 0; i < texts.size(); ++i) value.set("k" + std::to_string(i), texts[i]);
  for (const auto& text : texts) value.set(text, YamlValue::list({text, YamlValue::map({{text, text}}), 1, true, 0.5}));
  value.set("empty", YamlValue::map()).set("none", YamlValue()).set("nested", YamlValue::list({YamlValue::list({1})}));
  const auto block = write_block(value);
  const auto read = Document::parse(block, "block");
  ASSERT_TRUE(read) << to_string(read.error()) << "\n" << block;
  EXPECT_TRUE(value_of(read->root()) == value) << block;
  const auto flow = write_flow(value);
  const auto read_flow = Document::parse(flow, "flow");
  ASSERT_TRUE(read_flow) << to_string(read_flow.error()) << "\n" << flow;
  EXPECT_TRUE(value_of(read_flow->root()) == value) << flow;
}

}  // namespace
}  // namespace atalaya::config
