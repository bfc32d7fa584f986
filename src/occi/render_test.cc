// The renderings as others parse them: kept copies under test/golden/occi. ATALAYA_UPDATE_GOLDEN=1 writes them anew.
#include "occi/render.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "occi/test_world.h"

namespace atalaya::occi {
namespace {

using testing::HasSubstr;
using testing::Not;

void compare(const std::string& name, const std::string& text) {
  const std::filesystem::path path = std::string(AT_SOURCE_DIR) + "/test/golden/occi/" + name;
  if (std::getenv("ATALAYA_UPDATE_GOLDEN") != nullptr) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  std::ifstream in(path);
  ASSERT_TRUE(in) << path << " is missing: run once with ATALAYA_UPDATE_GOLDEN=1";
  std::stringstream kept;
  kept << in.rdbuf();
  EXPECT_EQ(text, kept.str()) << name;
}

std::string lines(const HeaderFields& fields) {
  std::string out;
  for (const auto& [name, value] : fields) out += name + ": " + value + "\n";
  return out;
}

std::string unix_lines(std::string text) {
  std::erase(text, '\r');
  return text;
}

void pretty(const boost::json::value& value, const std::string& indent, std::string& out) {
  const auto inner = indent + "  ";
  if (value.is_object()) {
    out += "{\n";
    for (const auto& [key, one] : value.get_object()) {
      if (!out.ends_with("{\n")) out.insert(out.size() - 1, ",");
      out += inner + boost::json::serialize(boost::json::string(key)) + ": ";
      pretty(one, inner, out);
      out += "\n";
    }
    out += indent + "}";
  } else if (value.is_array()) {
    out += "[\n";
    for (const auto& one : value.get_array()) {
      if (!out.ends_with("[\n")) out.insert(out.size() - 1, ",");
      out += inner;
      pretty(one, inner, out);
      out += "\n";
    }
    out += indent + "]";
  } else {
    out += boost::json::serialize(value);
  }
}
std::string pretty(const boost::json::object& value) {
  std::string out;
  pretty(value, "", out);
  return out + "\n";
}

const Addresses kAddresses{"https://h:2001", "/occi"};

TEST(Render, Categories) {
  const auto model = Model::shipped();
  TextMessage message;
  for (const auto* one : model.all()) message.categories.push_back(line_of(model, *one, kAddresses, true));
  compare("categories.txt", unix_lines(render_plain(message)));
  compare("categories-headers.txt", lines(render_headers(message)));
  compare("categories.json", pretty(to_json(model, model.all(), kAddresses)));
  const auto again = parse_plain(render_plain(message));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, message);
}

TEST(Render, Entities) {
  TestWorld t;
  ASSERT_TRUE(t.create(category("network") + attribute("occi.network.vlan", "12"), "lan"));
  ASSERT_TRUE(t.create(category("storage") + attribute("occi.storage.size", "0.5"), "disk"));
  ASSERT_TRUE(t.create(category("compute") + attribute("occi.core.title", "\"The \\\"shop\\\", new\"") +
                           attribute("occi.compute.memory", "2") + attribute("occi.compute.hostname", "\"web-1\""),
                       "web"));
  ASSERT_TRUE(t.create(category("networkinterface") + attribute("occi.core.source", "\"web\"") +
                           attribute("occi.core.target", "\"lan\"") +
                           attribute("occi.networkinterface.address", "\"10.0.0.2/8\""),
                       "nic"));
  ASSERT_TRUE(t.create(category("storagelink") + attribute("occi.core.source", "\"web\"") +
                           attribute("occi.core.target", "\"disk\"") +
                           attribute("occi.storagelink.mountpoint", "\"/srv\""),
                       "mount"));
  const auto& web = *t.world.find("web");
  const auto message = message_of(t.world, web, {}, kAddresses);
  compare("compute.txt", unix_lines(render_plain(message)));
  compare("compute-headers.txt", lines(render_headers(message)));
  compare("compute.json", pretty(to_json(t.world, web, {}, kAddresses)));
  compare("link.txt", unix_lines(render_plain(message_of(t.world, *t.world.find("nic"), {}, kAddresses))));
  compare("link.json", pretty(to_json(t.world, *t.world.find("nic"), {}, kAddresses)));
  compare("collection.json", pretty(to_json(t.world, t.world.members(nullptr), {}, kAddresses)));
  std::vector<std::string> locations;
  for (const auto* one : t.world.members(nullptr))
    locations.push_back(kAddresses.origin + path_of(t.world, *one, kAddresses));
  compare("collection.uri-list", unix_lines(render_uri_list(locations)));
  compare("collection.txt", unix_lines(render_plain({{}, {}, {}, locations})));
}

TEST(Render, NoValueBecomesALineOrHeaderOfItsOwn) {
  TestWorld t;
  Entity entity;
  entity.id = "c";
  entity.kind = infrastructure("compute");
  entity.mixins = {"http://x#a\r\nX-Evil: 1"};
  entity.attributes.emplace(std::string(kTitle), std::string("a\r\nSet-Cookie: b\"; c=\""));
  t.world.put(entity);
  const auto message = message_of(t.world, entity, {}, kAddresses);
  for (const auto& [name, value] : render_headers(message)) {
    EXPECT_THAT(value, Not(HasSubstr("\n"))) << name;
    EXPECT_THAT(value, Not(HasSubstr("\r"))) << name;
  }
  const auto text = render_plain(message);
  EXPECT_THAT(text, Not(HasSubstr("\nSet-Cookie")));
  EXPECT_THAT(text, Not(HasSubstr("\nX-Evil")));
  EXPECT_TRUE(parse_plain(text)) << text;
}

TEST(Media, IsNegotiatedByQuality) {
  EXPECT_EQ(negotiate("", true)->name, "text/plain");
  EXPECT_EQ(negotiate("*/*", true)->name, "text/plain");
  EXPECT_EQ(negotiate("application/json", false)->name, "application/json");
  EXPECT_EQ(negotiate("text/occi;q=0.5, application/occi+json", false)->name, "application/occi+json");
  EXPECT_EQ(negotiate("text/*;q=0.2, text/plain;q=0", true)->name, "text/occi");
  EXPECT_EQ(negotiate("text/uri-list", true)->media, Media::kUriList);
  EXPECT_FALSE(negotiate("text/uri-list", false));
  EXPECT_FALSE(negotiate("image/png", true));
  EXPECT_EQ(media_of("Text/OCCI; charset=utf-8")->media, Media::kOcci);
  EXPECT_FALSE(media_of("application/x-www-form-urlencoded"));
  EXPECT_TRUE(speaks("curl/7.8"));
  EXPECT_TRUE(speaks("client OCCI/1.1 x"));
  EXPECT_FALSE(speaks("client OCCI/1.3"));
  EXPECT_FALSE(speaks("client OCCI/2.0"));
}

}  // namespace
}  // namespace atalaya::occi
