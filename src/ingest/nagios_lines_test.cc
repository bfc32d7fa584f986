#include "ingest/nagios_lines.h"

#include <gtest/gtest.h>

namespace atalaya::ingest {
namespace {

TEST(NagiosLines, ReadsResultsOfServicesAndHostsWithAndWithoutTime) {
  const auto read = read_check_commands(
      "[1700000000] PROCESS_SERVICE_CHECK_RESULT;web1;disk /;2;full; 97% | a=1;2\\nmore\r\n"
      "\n"
      "PROCESS_HOST_CHECK_RESULT;web1;0;PING OK\n");
  ASSERT_EQ(read.errors.size(), 0u);
  ASSERT_EQ(read.results.size(), 2u);
  EXPECT_EQ(read.results[0].host, "web1");
  EXPECT_EQ(read.results[0].service, "disk /");
  EXPECT_EQ(read.results[0].state, 2);
  EXPECT_EQ(read.results[0].output, "full; 97% | a=1;2\nmore");
  EXPECT_EQ(read.results[0].at, from_ms(1'700'000'000'000));
  EXPECT_EQ(read.results[1].service, "");
  EXPECT_EQ(read.results[1].at, std::nullopt);
}

TEST(NagiosLines, NamesTheLineThatIsWrongAndTakesTheOthers) {
  const auto read = read_check_commands(
      "PROCESS_SERVICE_CHECK_RESULT;web1;x;4;bad state\n"
      "PROCESS_HOST_CHECK_RESULT;web1;3;bad state\n"
      "[x] PROCESS_HOST_CHECK_RESULT;web1;0;ok\n"
      "SHUTDOWN_PROGRAM\n"
      "PROCESS_SERVICE_CHECK_RESULT;web1;;0;no name\n"
      "PROCESS_HOST_CHECK_RESULT;web1;1;down\n");
  ASSERT_EQ(read.results.size(), 1u);
  ASSERT_EQ(read.errors.size(), 5u);
  EXPECT_EQ(read.errors[0].message, "line 1: '4' is no state of a service: 0 to 3");
  EXPECT_EQ(read.errors[1].message, "line 2: '3' is no state of a host: 0 to 2");
  EXPECT_EQ(read.errors[2].message, "line 3: [] holds no seconds since 1970");
  EXPECT_EQ(read.errors[3].message, "line 4: the command 'SHUTDOWN_PROGRAM' is not taken");
  EXPECT_EQ(read.errors[4].message, "line 5: the name of the service is none");
}

TEST(NagiosLines, ReadsTheXmlThatClientsWrite) {
  const auto read = read_nrdp_xml(
      "<?xml version=\"1.0\"?><!-- c --><checkresults>\n<checkresult type='service'><hostname> web1 </hostname>"
      "<servicename>a&amp;b</servicename><state>1</state><output><![CDATA[<x> | "
      "y=1]]>&#x41;&#66;</output></checkresult>"
      "<checkresult type=\"host\"><hostname>web2</hostname><state>1</state><output/></checkresult></checkresults>");
  ASSERT_TRUE(read) << to_string(read.error());
  ASSERT_EQ(read->results.size(), 2u);
  EXPECT_EQ(read->results[0].host, "web1");
  EXPECT_EQ(read->results[0].service, "a&b");
  EXPECT_EQ(read->results[0].output, "<x> | y=1AB");
  EXPECT_EQ(read->results[1].service, "");
  EXPECT_EQ(read->results[1].output, "");
}

TEST(NagiosLines, RefusesXmlThatIsNone) {
  for (const std::string_view text :
       {"", "text", "<checkresults><checkresult>", "<checkresults", "<!DOCTYPE a><checkresults/>",
        "<checkresults a=b/>", "<checkresults>&nbsp;</checkresults>", "<checkresults>&#0;</checkresults>",
        "<checkresults><![CDATA[x</checkresults>"}) {
    EXPECT_FALSE(read_nrdp_xml(text)) << text;
  }
}

TEST(NagiosLines, ReadsJsonWithStatesAsTextsAndNumbers) {
  const auto read = read_nrdp_json(
      R"({"checkresults": [{"checkresult": {"type": "host"}, "hostname": "a", "state": 1, "output": "x"},
          {"checkresult": {"type": "service"}, "hostname": "a", "servicename": "s", "state": "3", "output": "y"},
          {"hostname": "a", "servicename": "s", "state": "0", "output": "z"}, {"hostname": "a"}, 7]})");
  ASSERT_TRUE(read);
  ASSERT_EQ(read->results.size(), 3u);
  EXPECT_EQ(read->results[1].state, 3);
  EXPECT_EQ(read->results[2].service, "s");
  EXPECT_EQ(read->errors.size(), 2u);
  EXPECT_FALSE(read_nrdp_json("[]"));
  EXPECT_FALSE(read_nrdp_json("{"));
}

TEST(NagiosLines, ReadsWhatAPluginWrote) {
  const auto read = read_plugin_output(
      "DISK OK | /=2643MB;5948;5958;0;5968 'a ''b'' c'=12%;;;; time=0.5s\nlong text\nmore | load=1.5 n=3c bad x=U "
      "k=2KB");
  EXPECT_EQ(read.text, "DISK OK");
  EXPECT_EQ(read.more, "long text\nmore");
  ASSERT_EQ(read.performance.size(), 6u);
  const std::vector<std::tuple<std::string, double, std::string>> expected{{"/", 2643 * 1048576.0, "bytes"},
                                                                           {"a 'b' c", 12, "percent"},
                                                                           {"time", 0.5, "seconds"},
                                                                           {"load", 1.5, ""},
                                                                           {"n", 3, "counter"},
                                                                           {"k", 2048, "bytes"}};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto& one = read.performance[i];
    EXPECT_EQ(std::tie(one.label, one.value, one.unit), expected[i]) << i;
  }
}

}  // namespace
}  // namespace atalaya::ingest
