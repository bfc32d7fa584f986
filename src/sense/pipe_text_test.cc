#include "sense/pipe_text.h"

#include <gmock/gmock.h>

namespace atalaya::sense {
namespace {

using ::testing::HasSubstr;

Result<PipeSpec> read(const std::string& text) {
  const auto document = config::Document::parse(text, "pipe.yaml");
  if (!document) return std::unexpected(document.error());
  return read_pipe(document->root());
}

TEST(PipeText, ReadsYaml) {
  const auto spec = read(
      "period: 2.5\n"
      "sources: [a, {stream: b, from: CPUPercent}]\n"
      "aggregators:\n"
      "  - {mixin: EWMA, attributes: {instream: a, outstream: c, gain: 16}}\n"
      "  - {mixin: Threshold, attributes: {instream: c, outstream: d, raise: 1.5, repeat: true}}\n"
      "publishers: [{mixin: SendUDP, attributes: {input: d, udpAddr: '127.0.0.1:8888'}}]\n");
  ASSERT_TRUE(spec) << to_string(spec.error());
  EXPECT_EQ(spec->period, Duration{2500});
  EXPECT_EQ(spec->sources, (std::vector<Source>{{"a", "a source"}, {"b", "CPUPercent"}}));
  EXPECT_FALSE(spec->more_sources);
  EXPECT_EQ(spec->aggregators[0].attributes.at("gain"), Setting(std::int64_t{16}));
  EXPECT_EQ(spec->aggregators[1].attributes.at("raise"), Setting(1.5));
  EXPECT_EQ(spec->aggregators[1].attributes.at("repeat"), Setting(true));
  EXPECT_EQ(spec->publishers[0].attributes.at("udpAddr"), Setting("127.0.0.1:8888"));
}

TEST(PipeText, WithoutSourcesAnyStreamMayCome) { EXPECT_TRUE(read("publishers: []")->more_sources); }

TEST(PipeText, ComesBackFromJson) {
  PipeSpec spec;
  spec.period = Duration{1500};
  spec.sources = {{"a", "CPUPercent \"of\" x\n"}};
  spec.more_sources = true;
  spec.aggregators = {{"Filter", {{"instream", "a"}, {"outstream", "b"}, {"line", "\\d+ \"é\"\t{"}, {"least", 2.5}}}};
  spec.publishers = {{"Syslog", {{"input", "b"}, {"facility", std::int64_t{16}}, {"app", "true"}, {"address", "12"}}},
                     {"Threshold", {{"repeat", false}, {"raise", 1e300}, {"clear", -0.1}}}};
  const auto again = read(to_json(spec));
  ASSERT_TRUE(again) << to_string(again.error());
  EXPECT_EQ(*again, spec);
}

TEST(PipeText, NamesThePlaceOfWhatIsWrong) {
  const auto error = [](const std::string& text) {
    const auto spec = read(text);
    return spec ? "" : to_string(spec.error());
  };
  EXPECT_THAT(error("sourcse: []"), HasSubstr("pipe.yaml:1:1: a pipe has no key \"sourcse\""));
  EXPECT_THAT(error("period: 0"), HasSubstr("pipe.yaml:1:9: the period"));
  EXPECT_THAT(error("period: .nan"), HasSubstr("the period"));
  EXPECT_THAT(error("aggregators: {}"), HasSubstr("aggregators is a mapping, no list"));
  EXPECT_THAT(error("aggregators: [{attributes: {}}]"), HasSubstr("it names no mixin"));
  EXPECT_THAT(error("publishers: [{mixin: Log, attributes: {in_msg: [a]}}]"), HasSubstr("the value of an attribute"));
  EXPECT_THAT(error("[]"), HasSubstr("a pipe is"));
}

}  // namespace
}  // namespace atalaya::sense
