#include "config/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/suggest.h"

namespace atalaya::config {
namespace {

Document parse(std::string text) { return Document::parse(std::move(text), "a.yaml").value(); }

std::vector<std::string> lines(const Errors& errors) {
  std::vector<std::string> texts;
  for (const auto& error : errors) texts.push_back(to_string(error));
  return texts;
}

struct Target {
  std::string host;
  int port = 0;
};

void decode(const Node& node, Target& out, Errors& errors) {
  Reader read(node, "a target", errors);
  out.host = read.required<std::string>("host");
  out.port = read.value_or<int>("port", 80);
  read.finish();
}

TEST(Reader, KeysBecomeTypedValues) {
  const auto document = parse(
      "name: a\ncount: 3\nratio: 0.5\non: true\nevery: 15s\ntags: [x, y]\nlabels: {k: v}\n"
      "targets: [{host: h1}, {host: h2, port: 8080}]\nhosts: one\n");
  Errors errors;
  Reader read(document.root(), "the file", errors);
  EXPECT_EQ(read.required<std::string>("name"), "a");
  EXPECT_EQ(read.required<std::int64_t>("count"), 3);
  EXPECT_EQ(read.required<double>("ratio"), 0.5);
  EXPECT_TRUE(read.required<bool>("on"));
  EXPECT_EQ(read.required<Duration>("every"), Duration{15000});
  EXPECT_EQ(read.required<std::vector<std::string>>("tags"), (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ((read.required<std::map<std::string, std::string>>("labels")),
            (std::map<std::string, std::string>{{"k", "v"}}));
  const auto targets = read.required<std::vector<Target>>("targets");
  ASSERT_EQ(targets.size(), 2u);
  EXPECT_EQ(targets[0].port, 80);
  EXPECT_EQ(targets[1].port, 8080);
  EXPECT_EQ(read.one_or_many<std::string>("hosts"), std::vector<std::string>{"one"});
  EXPECT_EQ(read.optional<std::string>("absent"), std::nullopt);
  EXPECT_EQ(read.value_or<int>("absent2", 7), 7);
  read.finish();
  EXPECT_THAT(lines(errors), testing::IsEmpty());
  EXPECT_TRUE(read.ok());
}

TEST(Reader, EveryMistakeIsToldAtOnce) {
  const auto document = parse("titel: x\ncount: many\nfor: soon\nextra: 1\nports: [1, b, c]\n");
  Errors errors;
  Reader read(document.root(), "a rule", errors);
  read.value_or<std::string>("title", "");
  EXPECT_EQ(read.value_or<int>("count", 5), 5);
  EXPECT_EQ(read.optional<Duration>("for"), std::nullopt);
  read.required<std::string>("expr");
  EXPECT_TRUE(read.value_or<std::vector<int>>("ports", {}).empty());
  read.finish();
  EXPECT_FALSE(read.ok());
  sort_by_place(errors);
  EXPECT_THAT(lines(errors), testing::ElementsAre(
                                 "a.yaml:1:1: a rule needs the key \"expr\" (add expr: …)",
                                 "a.yaml:1:1: a rule has no key \"titel\" (did you mean \"title\"?)",
                                 "a.yaml:2:8: expected a whole number, found the text \"many\"",
                                 "a.yaml:3:6: expected a duration, found the text \"soon\""
                                 " (write units from large to small, such as 1h30m, 15s, 250ms)",
                                 "a.yaml:4:1: a rule has no key \"extra\" (known are: count, expr, for, ports, title)",
                                 "a.yaml:5:12: expected a whole number, found the text \"b\"",
                                 "a.yaml:5:15: expected a whole number, found the text \"c\""));
}

TEST(Reader, SomethingElseThanAMappingIsOneError) {
  const auto document = parse("[1]");
  Errors errors;
  Reader read(document.root(), "a rule", errors);
  read.required<std::string>("expr");
  read.one_of({"a", "b"});
  read.finish();
  EXPECT_THAT(lines(errors),
              testing::ElementsAre("a.yaml:1:1: expected the keys of a rule, found a list (e.g. {key: value})"));
}

TEST(Reader, ExactlyOneOfSeveralKeys) {
  const auto document = parse("{gauge: 1, binary: 2}");
  Errors errors;
  Reader both(document.root(), "a rule", errors);
  EXPECT_EQ(both.one_of({"gauge", "binary"}), nullptr);
  const auto* entry = Reader(document.root(), "a rule", errors).one_of({"binary", "tailable"});
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->key->text(), "binary");
  EXPECT_EQ(Reader(document.root(), "a rule", errors).one_of({"x", "y"}), nullptr);
  EXPECT_THAT(lines(errors),
              testing::ElementsAre("a.yaml:1:12: a rule has both \"gauge\" and \"binary\" (keep one of them)",
                                   "a.yaml:1:1: a rule needs one of the keys \"x\", \"y\" (add one of them)"));
}

TEST(Reader, AChoiceIsOneOfItsWords) {
  const auto document = parse("{a: never, b: allways}");
  Errors errors;
  Reader read(document.root(), "it", errors);
  EXPECT_EQ(read.choice("a", {"always", "never"}), "never");
  EXPECT_EQ(read.choice("b", {"always", "never"}), "always");
  EXPECT_EQ(read.choice("c", {"always", "never"}), "always");
  EXPECT_THAT(lines(errors),
              testing::ElementsAre("a.yaml:1:15: \"allways\" is no value of \"b\" (did you mean \"always\"?)"));
}

TEST(Reader, NumbersMustFitTheirType) {
  const auto document = parse("{a: 3000000000, b: -1}");
  Errors errors;
  Reader read(document.root(), "it", errors);
  EXPECT_EQ(read.value_or<int>("a", 1), 1);
  EXPECT_EQ(read.value_or<std::uint64_t>("b", 2), 2u);
  EXPECT_EQ(errors.size(), 2u);
}

TEST(Suggest, FindsSlipsOfTheKeyboardAndNothingElse) {
  EXPECT_EQ(edit_distance("for", "fro"), 1u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(closest("thershold", {"title", "threshold"}), "threshold");
  EXPECT_EQ(closest("xyz", {"title", "for"}), "");
  EXPECT_EQ(suggestion("q", {"b", "a"}), "known are: a, b");
  EXPECT_THAT(known_are(std::vector<std::string>(60, "a")), testing::EndsWith(", a and 36 more"));
  EXPECT_EQ(suggestion("q", {}), "");
}

}  // namespace
}  // namespace atalaya::config
