#include "model/json_text.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace atalaya {
namespace {

TEST(JsonText, EveryByteIsWrittenAsADocumentsSerializerDoes) {
  for (int c = 0; c < 256; ++c) {
    const std::string text{'a', static_cast<char>(c), static_cast<char>(c), 'z'};
    std::string out;
    append_json(out, text);
    EXPECT_EQ(out, boost::json::serialize(boost::json::string(text))) << c;
  }
}

TEST(JsonText, LabelsAndMapsAreObjects) {
  std::string out;
  append_json(out, Labels{{"b", "\"quoted\""}, {"a", "1"}});
  append_json(out, std::map<std::string, std::string>{{"x", ""}});
  append_json(out, Labels{});
  EXPECT_EQ(out, R"({"a":"1","b":"\"quoted\""}{"x":""}{})");
}

}  // namespace
}  // namespace atalaya
