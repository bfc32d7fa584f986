// A table of Prometheus' own: what parses, and where and in which words the rest does not.
#include <boost/json.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "promql/ast.h"
#include "promql/engine.h"
#include "promql/format.h"
#include "promql/lexer.h"

namespace atalaya::promql {
namespace {

namespace json = boost::json;

/// Plain text, or bytes written as Latin-1; nullopt for what only Go can compute.
std::optional<std::string> text_of(const json::value& value) {
  if (value.is_string()) return std::string(value.as_string());
  const auto& object = value.as_object();
  if (!object.contains("$bytes_latin1")) return std::nullopt;
  std::string out;
  const std::string_view text = object.at("$bytes_latin1").as_string();
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      out += text[i];
    } else {
      out += static_cast<char>((byte & 3) << 6 | (static_cast<unsigned char>(text[i + 1]) & 0x3f));
      ++i;
    }
  }
  return out;
}

/// Whether the error is one of those that the table names. Not all are told, but one is.
bool is_named(const Error& error, const std::string& input, const json::array& errors) {
  for (const auto& named : errors) {
    const auto& object = named.as_object();
    if (!object.at("msg").is_string()) return true;
    const auto wanted = "parse error: " + std::string(object.at("msg").as_string());
    const auto& start = object.at("start");
    const bool here = !error.place || !start.is_int64() ||
                      *error.place == place_at(input, static_cast<std::size_t>(start.as_int64()));
    if (error.message == wanted && here) return true;
  }
  return false;
}

TEST(PromqlParserTable, AgreesWithPrometheusInVerdictPlaceAndWords) {
  const char* wanted = std::getenv("ATALAYA_REFERENCE_DATA");
  const auto path = (wanted ? std::filesystem::path(wanted) : std::filesystem::path(AT_SOURCE_DIR) / "../shared/data") /
                    "promql-parser/parse.json";
  std::ifstream in(path);
  if (!in) GTEST_SKIP() << "no reference data at " << path.string();
  std::ostringstream text;
  text << in.rdbuf();
  int seen = 0;
  const auto table = json::parse(text.str());
  for (const auto& one : table.at("cases").as_array()) {
    const auto& row = one.as_object();
    const auto input = text_of(row.at("input"));
    if (!input) continue;
    ++seen;
    const auto parsed = parse(*input);
    if (!row.at("fail").as_bool()) {
      EXPECT_TRUE(parsed) << *input << ": " << to_string(parsed.error());
      if (parsed && row.contains("value")) {
        const auto& value = row.at("value");
        const auto number = (*parsed)->number;
        EXPECT_EQ(format_value(number),
                  value.is_string() ? std::string(value.as_string()) : format_value(value.to_number<double>()))
            << *input;
      }
      continue;
    }
    ASSERT_FALSE(parsed) << *input;
    EXPECT_TRUE(is_named(parsed.error(), *input, row.at("errors").as_array()))
        << *input << ": " << to_string(parsed.error()) << "\nwanted " << json::serialize(row.at("errors"));
  }
  fmt::print("{} rows\n", seen);
  EXPECT_GT(seen, 0);
}

}  // namespace
}  // namespace atalaya::promql
