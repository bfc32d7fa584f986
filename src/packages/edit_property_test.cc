// A promise of the product: random edits of real and of nasty files change exactly the bytes that should.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "config/yaml_edit.h"
#include "packages/edit.h"
#include "packages/edit_test_lines.h"
#include "packages/edit_test_world.h"

namespace atalaya::packages {
namespace {

using config::Node;
using config::YamlPath;
using config::YamlValue;
using What = Operation::What;

/// The two packages under test and what they mean, changed by other means than the editor's.
struct World {
  FileTexts files;
  std::map<std::string, YamlValue> meaning;
};

YamlValue* child(YamlValue* value, const std::string& key) {
  if (!value) return nullptr;
  if (value->kind == YamlValue::Kind::kList) {
    const auto index = std::stoul(key);
    return index < value->items.size() ? &value->items[index] : nullptr;
  }
  for (auto& [name, each] : value->entries) {
    if (name == key) return &each;
  }
  return nullptr;
}

YamlValue* at(YamlValue* value, const YamlPath& path) {
  for (const auto& part : path) value = child(value, part);
  return value;
}

void erase(YamlValue* parent, const std::string& key) {
  if (parent->kind == YamlValue::Kind::kList) {
    parent->items.erase(parent->items.begin() + static_cast<std::ptrdiff_t>(std::stoul(key)));
  } else {
    std::erase_if(parent->entries, [&](const auto& entry) { return entry.first == key; });
  }
  if (parent->entries.empty() && parent->items.empty() && parent->kind == YamlValue::Kind::kToken)
    *parent = YamlValue();
}

class Walk {
 public:
  Walk(World world, std::uint64_t seed) : world_(std::move(world)), random_(seed) {}

  void run(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) step();
    // Back again, change by change.
    auto files = world_.files;
    for (auto change = done_.rbegin(); change != done_.rend(); ++change) {
      ASSERT_EQ(files[change->file], change->after);
      files[change->file] = *change->before;
    }
    for (const auto& [file, text] : start_) EXPECT_EQ(files[file], text);
  }

  int made = 0;
  int refused = 0;
  std::string why;

 private:
  struct Item {
    ItemAddress address;
    YamlPath path;  ///< in the file
    bool listed = false;
    bool group = false;
  };

  std::size_t pick(std::size_t count) { return static_cast<std::size_t>(random_() % count); }

  std::vector<Item> things(const std::string& package, bool groups) {
    std::vector<Item> out;
    auto& root = world_.meaning.at(package);
    for (auto& [section, value] : root.entries) {
      const auto* schema = find_test_section(section);
      if (!schema) continue;
      if (schema->shape == schema::Shape::kDocument) {
        if (!groups) out.push_back({{package, section, {}}, {section}});
      } else if (schema->shape == schema::Shape::kList) {
        for (std::size_t i = 0; i < value.items.size() && !groups; ++i) {
          const auto* key = value.items[i].get(schema->indexes.back().name);
          if (key) out.push_back({{package, section, {key->scalar}}, {section, std::to_string(i)}, true});
        }
      } else {
        for (auto& [group, members] : value.entries) {
          if (groups) out.push_back({{package, section, {group}}, {section, group}, false, true});
          for (auto& [name, item] : members.entries) {
            if (!groups) out.push_back({{package, section, {group, name}}, {section, group, name}});
          }
        }
      }
    }
    return out;
  }

  YamlValue some_value() {
    static const std::vector<std::string> texts{
        "plain",           "a: b", "# no comment", "true", "12",     "",    "two\nlines\n",
        "it's \"quoted\"", "ñ 🙂", "[x",           "- y",  "trail ", "a\tb"};
    switch (pick(6)) {
      case 0: return YamlValue(static_cast<std::int64_t>(pick(1000)));
      case 1: return YamlValue(pick(2) == 0);
      case 2: return YamlValue::map({{"x", texts[pick(texts.size())]}, {"y", 0.5}});
      case 3: return YamlValue::list({texts[pick(texts.size())], YamlValue::map({{"z", 1}})});
      default: return YamlValue(texts[pick(texts.size())]);
    }
  }

  /// Applies; true when it was done, with the meaning checked.
  bool apply_one(const Operation& operation, const std::map<std::string, YamlValue>& expected,
                 const std::map<std::string, Touched>& touched, const std::string& what) {
    const auto changes = apply(world_.files, {operation}, find_test_section);
    if (!changes) {
      EXPECT_EQ(changes.error().code, ErrorCode::kUnprocessable) << what << ": " << to_string(changes.error());
      ++refused;
      why += what + ": " + to_string(changes.error()) + "\n";
      return false;
    }
    ++made;
    for (const auto& change : *changes) {
      SCOPED_TRACE(what + " in " + change.file);
      EXPECT_EQ(change.before, world_.files.at(change.file));
      const auto region = touched.find(change.file);
      const auto stray =
          region == touched.end() ? "it was not to change" : strayed(*change.before, *change.after, region->second);
      EXPECT_EQ(stray, "") << unified_diff(change);
      world_.files[change.file] = *change.after;
      done_.push_back(change);
    }
    for (const auto& [package, meaning] : expected) {
      const auto now = config::Document::parse(world_.files.at(package + "/package.yaml"), package);
      EXPECT_TRUE(now && config::value_of(now->root()) == meaning) << what << "\n"
                                                                   << config::write_block(meaning) << "\nbut is\n"
                                                                   << world_.files.at(package + "/package.yaml");
    }
    world_.meaning = expected;
    return true;
  }

  const std::string& text_of(const std::string& package) const { return world_.files.at(package + "/package.yaml"); }
  static std::string file_of(const std::string& package) { return package + "/package.yaml"; }

  void step() {
    const std::string package = pick(4) == 0 ? "q" : "p";
    auto items = things(package, false);
    auto groups = things(package, true);
    if (items.empty()) return create(package);
    const auto& item = items[pick(items.size())];
    const auto& thing = groups.empty() || pick(3) != 0 ? item : groups[pick(groups.size())];
    switch (pick(9)) {
      case 0:
      case 1: return set(item);
      case 2: return add_field(item);
      case 3: return unset(item);
      case 4: return create(package);
      case 5: return replace(item);
      case 6: return rename(thing);
      case 7: return pick(2) == 0 ? remove(thing) : copy(thing, false);
      default: return copy(thing, pick(2) == 0);
    }
  }

  /// A field below an item, with the way to it in the file.
  bool descend(const Item& item, std::vector<std::string>& field, YamlPath& path) {
    const auto* value = at(&world_.meaning.at(item.address.package), item.path);
    path = item.path;
    while (value && (!value->entries.empty() || !value->items.empty())) {
      std::string key;
      if (value->entries.empty()) {
        key = std::to_string(pick(value->items.size()));
        value = &value->items[std::stoul(key)];
      } else {
        const auto& entry = value->entries[pick(value->entries.size())];
        key = entry.first;
        value = &entry.second;
      }
      field.push_back(key);
      path.push_back(key);
      if (pick(3) == 0) break;
    }
    const bool is_key =
        item.listed && field.size() == 1 && field[0] == find_test_section(item.address.section)->indexes.back().name;
    return !field.empty() && !is_key;
  }

  void set(const Item& item) {
    std::vector<std::string> field;
    YamlPath path;
    if (!descend(item, field, path)) return;
    auto expected = world_.meaning;
    auto* place = at(&expected.at(item.address.package), path);
    const auto value = some_value();
    const bool leaf = place->entries.empty() && place->items.empty() && value.entries.empty() && value.items.empty();
    *place = value;
    const Before before(text_of(item.address.package), path);
    Touched touched;
    leaf ? before.value(touched) : before.whole(touched);
    apply_one({.what = What::kSet, .at = item.address, .field = field, .value = value}, expected,
              {{file_of(item.address.package), touched}}, fmt::format("set {}", fmt::join(path, ".")));
  }

  void add_field(const Item& item) {
    auto expected = world_.meaning;
    auto* place = at(&expected.at(item.address.package), item.path);
    if (place->kind == YamlValue::Kind::kText || (place->kind == YamlValue::Kind::kToken && !place->scalar.empty()))
      return;
    if (place->kind == YamlValue::Kind::kList) return;
    const auto name = fmt::format("field{}", ++count_);
    const auto value = some_value();
    const auto tag = place->tag;
    place->set(name, YamlValue::map({{"deep", value}}));
    place->tag = tag;
    Touched touched;
    Before(text_of(item.address.package), item.path).end_of(touched);
    apply_one({.what = What::kSet, .at = item.address, .field = {name, "deep"}, .value = value}, expected,
              {{file_of(item.address.package), touched}}, fmt::format("add {} to {}", name, fmt::join(item.path, ".")));
  }

  void unset(const Item& item) {
    std::vector<std::string> field;
    YamlPath path;
    if (!descend(item, field, path)) return;
    auto expected = world_.meaning;
    erase(at(&expected.at(item.address.package), YamlPath(path.begin(), path.end() - 1)), path.back());
    Touched touched;
    Before(text_of(item.address.package), path).whole(touched);
    apply_one({.what = What::kUnset, .at = item.address, .field = field}, expected,
              {{file_of(item.address.package), touched}}, fmt::format("unset {}", fmt::join(path, ".")));
  }

  /// What becomes longer when something is put at `path`, whose last parts are not there.
  Touched end_above(const std::string& package, const YamlPath& path) const {
    Touched touched;
    Before(text_of(package), path).end_of(touched);
    return touched;
  }

  void create(const std::string& package) {
    static const std::vector<std::string> sections{"rules", "sensors"};
    const auto section = sections[pick(2)];
    auto groups = things(package, true);
    std::erase_if(groups, [&](const Item& group) { return group.address.section != section; });
    const auto group =
        groups.empty() || pick(3) == 0 ? fmt::format("group{}", ++count_) : groups[pick(groups.size())].address.path[0];
    const auto name = fmt::format("item{}", ++count_);
    const auto value = some_value();
    auto expected = world_.meaning;
    auto& root = expected.at(package);
    if (!root.get(section)) root.set(section, YamlValue());
    auto* place = child(&root, section);
    if (!place->get(group)) place->set(group, YamlValue());
    child(place, group)->set(name, YamlValue::map({{"value", value}, {"for", "1m"}}));
    const auto text =
        "# made by a test\n# of two lines\nvalue: " + config::write_flow(value) + "   # so\nfor: 1m\n# done\n";
    apply_one({.what = What::kCreate, .at = {package, section, {group, name}}, .text = text}, expected,
              {{file_of(package), end_above(package, {section, group, name})}},
              fmt::format("create {}.{}.{}", section, group, name));
  }

  void replace(const Item& item) {
    const auto found = find_item(world_.files, item.address, find_test_section);
    ASSERT_TRUE(found) << to_string(found.error());
    const auto same =
        apply(world_.files, {{.what = What::kReplace, .at = item.address, .text = found->yaml}}, find_test_section);
    // An alias cannot be replaced, and text that leans on an anchor cannot be read alone.
    if (!same) {
      EXPECT_TRUE(same.error().code == ErrorCode::kUnprocessable || same.error().code == ErrorCode::kInvalidArgument);
      ++refused;
      why += "replace " + words_of(item) + ": " + to_string(same.error()) + "\n";
      return;
    }
    EXPECT_TRUE(same->empty()) << unified_diff(same->empty() ? FileChange{} : same->front()) << found->yaml;
    const Before before(text_of(item.address.package), item.path);
    if (before.node().style() != Node::Style::kBlock || !before.node().is_mapping()) return;
    auto expected = world_.meaning;
    const auto name = fmt::format("field{}", ++count_);
    at(&expected.at(item.address.package), item.path)->set(name, "x");
    Touched touched;
    before.end_of(touched);
    before.tail(touched);
    apply_one({.what = What::kReplace, .at = item.address, .text = found->yaml + name + ": x  # new\n"}, expected,
              {{file_of(item.address.package), touched}}, "replace " + words_of(item));
  }

  static std::string words_of(const Item& item) { return fmt::format("{}", fmt::join(item.path, ".")); }

  void rename(const Item& item) {
    if (item.address.path.empty()) return;
    const auto name = fmt::format("{}{}", pick(2) == 0 ? "name" : "Name with spaces: ", ++count_);
    auto expected = world_.meaning;
    auto path = item.path;
    Touched touched;
    if (item.listed) {
      path.push_back(find_test_section(item.address.section)->indexes.back().name);
      *at(&expected.at(item.address.package), path) = name;
      Before(text_of(item.address.package), path).value(touched);
    } else {
      auto* parent = at(&expected.at(item.address.package), YamlPath(path.begin(), path.end() - 1));
      for (auto& entry : parent->entries) {
        if (entry.first == path.back()) entry.first = name;
      }
      Before(text_of(item.address.package), path).key_line(touched);
    }
    apply_one({.what = What::kRename, .at = item.address, .text = name}, expected,
              {{file_of(item.address.package), touched}}, "rename " + words_of(item));
  }

  void remove(const Item& item) {
    auto expected = world_.meaning;
    erase(at(&expected.at(item.address.package), YamlPath(item.path.begin(), item.path.end() - 1)), item.path.back());
    Touched touched;
    Before(text_of(item.address.package), item.path).whole(touched);
    apply_one({.what = What::kRemove, .at = item.address}, expected, {{file_of(item.address.package), touched}},
              "remove " + words_of(item));
  }

  void copy(const Item& item, bool take_away) {
    if (item.address.path.empty()) return;
    auto to = item.address;
    to.package = pick(2) == 0 ? "p" : "q";
    if (to.path.size() == 2) to.path[0] = pick(2) == 0 ? fmt::format("group{}", ++count_) : to.path[0];
    to.path.back() = fmt::format("copy{}", ++count_);
    if (take_away && to.package == item.address.package &&
        std::equal(to.path.begin(), to.path.end() - 1, item.address.path.begin())) {
      return;  // a renaming
    }
    auto expected = world_.meaning;
    auto value = *at(&expected.at(item.address.package), item.path);
    auto& root = expected.at(to.package);
    auto target = YamlPath{to.section};
    if (!root.get(to.section)) root.set(to.section, YamlValue());
    auto* place = child(&root, to.section);
    if (item.listed) {
      value.set(find_test_section(to.section)->indexes.back().name, to.path[0]);
      if (place->kind == YamlValue::Kind::kToken) *place = YamlValue::list();
      target.push_back(std::to_string(place->items.size()));
      place->items.push_back(value);
    } else {
      for (std::size_t i = 0; i + 1 < to.path.size(); ++i) {
        if (!place->get(to.path[i])) place->set(to.path[i], YamlValue());
        place = child(place, to.path[i]);
      }
      target.insert(target.end(), to.path.begin(), to.path.end());
      place->set(to.path.back(), value);
    }
    std::map<std::string, Touched> touched{{file_of(to.package), end_above(to.package, target)}};
    if (take_away) {
      erase(at(&expected.at(item.address.package), YamlPath(item.path.begin(), item.path.end() - 1)), item.path.back());
      Before(text_of(item.address.package), item.path).whole(touched[file_of(item.address.package)]);
    }
    apply_one({.what = take_away ? What::kMove : What::kCopy, .at = item.address, .to = to}, expected, touched,
              fmt::format("{} {} to {} {}", take_away ? "move" : "copy", words_of(item), to.package,
                          fmt::join(to.path, ".")));
  }

  World world_;
  std::mt19937_64 random_;
  std::vector<FileChange> done_;
  const FileTexts start_ = world_.files;
  int count_ = 0;
};

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::uint64_t seed() {
  const char* wanted = std::getenv("ATALAYA_TEST_SEED");
  const std::string_view text = wanted ? wanted : "1";
  return text == "random" ? std::random_device{}() : std::strtoull(text.data(), nullptr, 10);
}

/// What leans on anchors may be refused; refusing much would make the test an empty one.
struct Case {
  const char* file;
  int most_refused_percent = 0;
};

class PackageEditProperty : public testing::TestWithParam<Case> {};

TEST_P(PackageEditProperty, RandomEditsChangeExactlyTheBytesThatShouldAndAreUndone) {
  const auto text = read(std::string(AT_SOURCE_DIR) + "/" + GetParam().file);
  ASSERT_FALSE(text.empty());
  const std::string other = "package: q\nversion: 1.0.0\n# nothing else\n";
  World world{{{"p/package.yaml", text}, {"q/package.yaml", other}}, {}};
  for (const auto* package : {"p", "q"}) {
    const auto document = config::Document::parse(world.files.at(std::string(package) + "/package.yaml"), package);
    ASSERT_TRUE(document) << to_string(document.error());
    world.meaning[package] = config::value_of(document->root());
  }
  const auto first = seed();
  int made = 0;
  int refused = 0;
  std::string why;
  constexpr int kWalks = 40;
  for (std::uint64_t i = 0; i < kWalks && !HasFailure(); ++i) {
    SCOPED_TRACE(fmt::format("seed {}", first + i));
    Walk walk(world, first + i);
    walk.run(25);
    made += walk.made;
    refused += walk.refused;
    why += walk.why;
  }
  RecordProperty("made", made);
  EXPECT_GT(made, kWalks * 10);
  EXPECT_LE(refused * 100, (made + refused) * GetParam().most_refused_percent) << why;
}

INSTANTIATE_TEST_SUITE_P(Files, PackageEditProperty,
                         testing::Values(Case{"packages/host/package.yaml"}, Case{"packages/logs/package.yaml"},
                                         Case{"test/corpus/edits/comments.yaml"}, Case{"test/corpus/edits/flow.yaml"},
                                         Case{"test/corpus/edits/anchors.yaml", 20},
                                         Case{"test/corpus/edits/indents.yaml"}, Case{"test/corpus/edits/windows.yaml"},
                                         Case{"test/corpus/edits/bom.yaml"}),
                         [](const auto& test) {
                           return std::filesystem::path(test.param.file).parent_path().filename().string() + "_" +
                                  std::filesystem::path(test.param.file).stem().string();
                         });

}  // namespace
}  // namespace atalaya::packages
