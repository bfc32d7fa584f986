#include "schema/canonical.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/base_for_tests.h"

namespace atalaya::schema {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr auto kTypes = R"(
types:
  mac: {type: text, script: mac.py, help: an address of a network card}
  pause: {type: duration, script: pause.py, help: how long}
  socket: {type: record, help: a socket, fields: {mac: {type: mac}, note: {type: text}}}
schemas:
  nets:
    item: net
    indexes: {name: {type: name}}
    fields:
      mac: {type: mac}
      pause: {type: pause}
      macs: {type: one or many mac}
      ports: {type: list of socket}
      by_name: {type: map of mac}
      free: {type: text}
)";

/// mac.py: validate makes small letters, serialise capitals; "stuck" is not answered, "mute" has no writing.
Result<std::string> answer(const std::string& script, std::string_view verb, const std::string& input) {
  if (script == "pause.py") return "{\"value\": " + input + "}";
  auto text = std::string(boost::json::parse(input).as_string());
  if (verb == "validate" && text == "bad") return std::string(R"({"error": "is no address"})");
  if (verb == "serialise" && text == "stuck") return fail(ErrorCode::kDeadlineExceeded, "did not end within 2s");
  if (verb == "serialise" && text == "mute") return std::string(R"({"error": "no such verb"})");
  if (verb == "serialise" && text == "silent") return std::string();
  if (verb == "serialise" && text == "crash") return fail(ErrorCode::kUnprocessable, "exit code 1");
  for (auto& c : text) c = static_cast<char>(verb == "validate" ? std::tolower(c) : std::toupper(c));
  return boost::json::serialize(boost::json::object{{"value", text}});
}

class Canonical : public testing::Test {
 protected:
  Canonical() {
    config::Errors errors;
    const auto& root = document_.root();
    set_ = SchemaSet::build({base_source(), {"nets", root.get("schemas"), root.get("types"), {}}}, errors);
    EXPECT_TRUE(errors.empty()) << to_string(errors.front());
  }
  std::string written(const std::vector<std::string>& field, const std::string& yaml) {
    const auto* type = type_at(*set_->section("nets")->body, field);
    if (type == nullptr) return "no type";
    const auto run = [](const std::string&, const std::string& script, std::string_view verb,
                        const std::string& input) { return answer(script, verb, input); };
    const auto document = config::Document::parse(yaml, "");
    return config::write_flow(as_serialised(config::value_of(document->root()), *type, {*set_, run}, unanswered_));
  }

  config::Document document_ = config::Document::parse(kTypes, "nets.yaml").value();
  std::shared_ptr<const SchemaSet> set_;
  std::vector<Error> unanswered_;
};

TEST_F(Canonical, AValueIsWrittenAsItsTypesProgramSays) {
  EXPECT_EQ(written({"mac"}, "aa_Bb"), "AA_BB");
  EXPECT_EQ(written({"free"}, "aa_Bb"), "aa_Bb");
  EXPECT_THAT(unanswered_, IsEmpty());
}

TEST_F(Canonical, AValueIsFoundInListsMapsAndRecords) {
  EXPECT_EQ(written({"macs"}, "aa"), "AA");
  EXPECT_EQ(written({"macs"}, "[aa, b]"), "[AA, B]");
  EXPECT_EQ(written({"macs", "1"}, "aa"), "AA");
  EXPECT_EQ(written({"by_name", "x"}, "aa"), "AA");
  EXPECT_EQ(written({"ports", "0", "mac"}, "aa"), "AA");
  EXPECT_EQ(written({}, "{mac: a, free: b, ports: [{mac: c, note: d}], by_name: {mac: e}, unknown: f}"),
            "{mac: A, free: b, ports: [{mac: C, note: d}], by_name: {mac: E}, unknown: f}");
  EXPECT_EQ(written({"nothing"}, "a"), "no type");
  EXPECT_EQ(written({"free", "x"}, "a"), "no type");
}

TEST_F(Canonical, WhatHasNoAnswerKeepsItsWriting) {
  for (const auto* text : {"Mute", "Silent", "Crash", "bad", "\"${Mac}\"", "{Mac: x}", "~"}) {
    EXPECT_EQ(written({"mac"}, text), config::write_flow(config::value_of(config::Document::parse(text, "")->root())));
  }
  EXPECT_EQ(written({"pause"}, "90s"), "90s") << "a program that repeats 90000 has not said how it is written";
  EXPECT_THAT(unanswered_, IsEmpty());
}

TEST_F(Canonical, WhatSaysNothingInTimeIsTold) {
  EXPECT_EQ(written({"macs"}, "[Stuck, b]"), "[Stuck, B]");
  ASSERT_THAT(unanswered_, SizeIs(1));
  EXPECT_EQ(unanswered_.front().message, "mac.py serialise: did not end within 2s");
}

}  // namespace
}  // namespace atalaya::schema
