// Runs test/scripts/packages/*.test: what each section takes, and what it says to the rest.
// docs/formats/package-test.md.
#include <boost/json.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "packages/world_test_lines.h"
#include "schema/validate.h"

namespace atalaya::packages {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

const fs::path kScripts = fs::path(AT_SOURCE_DIR) / "test/scripts/packages";
const std::string kMain = "p/package.yaml";

struct ExpectedItem {
  std::string section, id;
  std::optional<json::value> values;  ///< nothing: no such item runs
};

struct Case {
  std::string title;
  int line = 0;
  FolderTexts texts;
  std::vector<ExpectedItem> items;
  std::vector<std::string> errors;
  bool ok = false;
};

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// The next word, taken off the line.
std::string take_word(std::string_view& line) {
  line = trim(line);
  const auto end = std::min(line.find(' '), line.size());
  const std::string word(line.substr(0, end));
  line = trim(line.substr(end));
  return word;
}

/// The head stands below, so that lines of errors are those of the script.
void add_heads(Case& one) {
  for (auto& [file, text] : one.texts) {
    if (!file.ends_with("/package.yaml") || text.find("\npackage:") != std::string::npos) continue;
    text += head(file.substr(0, file.find('/')));
  }
}

class Reader {
 public:
  explicit Reader(const std::string& text) : in_(text) {}

  std::vector<Case> read() {
    std::string line;
    while (std::getline(in_, line)) {
      ++number_;
      if (line.starts_with("  ") && file_ != nullptr) {
        *file_ += line.substr(2) + "\n";
        continue;
      }
      if (line.empty() && file_ != nullptr) {
        *file_ += "\n";
        continue;
      }
      if (line.empty() || line.starts_with('#')) continue;
      file_ = nullptr;
      statement(line);
    }
    for (auto& one : cases_) add_heads(one);
    return std::move(cases_);
  }

 private:
  void statement(std::string_view line) {
    const auto verb = take_word(line);
    if (verb == "case") {
      cases_.push_back({});
      cases_.back().title = line;
      cases_.back().line = number_;
      return;
    }
    if (cases_.empty()) return wrong();
    auto& one = cases_.back();
    if (verb == "given") {
      file_ = &one.texts[line.empty() ? kMain : std::string(line)];
    } else if (verb == "expect") {
      const auto what = take_word(line);
      if (what == "ok") {
        one.ok = true;
      } else if (what == "error") {
        const auto place = take_word(line);
        const bool names_file = std::count(place.begin(), place.end(), ':') == 2;
        one.errors.push_back(fmt::format("{}{}: {}", names_file ? "" : kMain + ":", place, line));
      } else if (what == "item" || what == "no-item") {
        ExpectedItem item;
        item.section = take_word(line);
        item.id = take_word(line);
        boost::system::error_code error;
        if (what == "item") item.values = json::parse(line.empty() ? "{}" : line, error);
        if (error) return wrong();
        one.items.push_back(std::move(item));
      } else {
        wrong();
      }
    } else {
      wrong();
    }
  }
  void wrong() { ADD_FAILURE() << "line " << number_ << " is no statement"; }

  std::istringstream in_;
  int number_ = 0;
  std::string* file_ = nullptr;
  std::vector<Case> cases_;
};

/// Does `whole` hold everything that `part` says?
bool holds(const json::value& whole, const json::value& part) {
  if (part.is_object() && whole.is_object()) {
    return std::all_of(part.get_object().begin(), part.get_object().end(), [&](const auto& entry) {
      const auto* value = whole.get_object().if_contains(entry.key());
      return value != nullptr && holds(*value, entry.value());
    });
  }
  if (part.is_array() && whole.is_array()) {
    return std::equal(part.get_array().begin(), part.get_array().end(), whole.get_array().begin(),
                      whole.get_array().end(), [](const auto& a, const auto& b) { return holds(b, a); });
  }
  if (part.is_number() && whole.is_number()) return part.to_number<double>() == whole.to_number<double>();
  return part == whole;
}

/// The plain values of an item in force; nothing where there is none.
std::optional<json::object> values_of(const World& world, const FolderTexts& texts, const ExpectedItem& wanted) {
  const auto slash = std::min(wanted.id.find('/'), wanted.id.size());
  const auto package = wanted.id.substr(0, slash);
  std::vector<std::string> path;
  for (auto at = slash; at < wanted.id.size();) {
    const auto end = std::min(wanted.id.find('/', at + 1), wanted.id.size());
    path.push_back(wanted.id.substr(at + 1, end - at - 1));
    at = end;
  }
  if (running(world, package) == nullptr) return std::nullopt;
  const auto files = files_of(texts);
  std::map<std::string, std::unique_ptr<PackageTree>> trees;
  std::map<std::string, config::YamlValue> values;
  const auto context = world.context_of(package, files, trees, values);
  const auto* tree = context.tree_of(package.substr(0, package.find('@')));
  const auto* section = context.schemas->section(wanted.section);
  if (tree == nullptr || section == nullptr) return std::nullopt;
  const auto item = compose_item(*tree, context, wanted.section, path);
  if (!item) return std::nullopt;
  config::Errors errors;
  return schema::check_item(*item->tree.node, *section, wanted.id, {*context.schemas, {}}, errors).fields;
}

void run(const Case& one, const std::string& script) {
  SCOPED_TRACE(fmt::format("{}.test:{}: {}", script, one.line, one.title));
  EXPECT_TRUE(one.ok || !one.errors.empty() || !one.items.empty()) << "expects nothing";
  const auto world = world_of(one.texts);
  auto told = error_lines(world);
  for (const auto& error : one.errors) {
    const auto found = std::find_if(told.begin(), told.end(), [&](const auto& line) {
      const auto colon = error.find(": ");
      return line.starts_with(error.substr(0, colon + 2)) && line.find(error.substr(colon + 2)) != std::string::npos;
    });
    EXPECT_NE(found, told.end()) << "nobody says " << error;
    if (found != told.end()) told.erase(found);
  }
  for (const auto& line : told) ADD_FAILURE() << "unexpected: " << line;
  for (const auto& item : one.items) {
    const auto values = values_of(world, one.texts, item);
    EXPECT_EQ(values.has_value(), item.values.has_value()) << item.section << " " << item.id;
    if (values && item.values) {
      EXPECT_TRUE(holds(*values, *item.values)) << item.section << " " << item.id << " is " << json::serialize(*values);
    }
  }
}

std::vector<std::string> script_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kScripts)) {
    if (entry.path().extension() == ".test") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class SectionScript : public testing::TestWithParam<std::string> {};

TEST_P(SectionScript, TakesAndRefusesWhatItSays) {
  std::ifstream in(kScripts / (GetParam() + ".test"));
  ASSERT_TRUE(in);
  std::ostringstream text;
  text << in.rdbuf();
  const auto cases = Reader(text.str()).read();
  EXPECT_FALSE(cases.empty());
  EXPECT_TRUE(std::any_of(cases.begin(), cases.end(), [](const auto& one) { return one.ok; })) << "no good case";
  EXPECT_TRUE(std::any_of(cases.begin(), cases.end(), [](const auto& one) { return !one.errors.empty(); }))
      << "no bad one";
  for (const auto& one : cases) run(one, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Sections, SectionScript, testing::ValuesIn(script_names()),
                         [](const auto& script) { return script.param; });

TEST(SectionScripts, ThereIsOneForEachSectionOfBase) {
  const auto names = script_names();
  const auto world = world_of({{"p/package.yaml", head("p")}});
  std::vector<std::string> sections;
  for (const auto* section : world.schemas_of("")->sections()) sections.push_back(section->name);
  EXPECT_GE(sections.size(), 15u);
  for (const auto& section : sections) {
    EXPECT_TRUE(std::find(names.begin(), names.end(), section) != names.end()) << section << ".test is missing";
  }
}

}  // namespace
}  // namespace atalaya::packages
