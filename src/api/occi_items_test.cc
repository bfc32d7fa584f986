#include "api/occi_items.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace atalaya::api {
namespace {

namespace json = boost::json;

const std::string kInfrastructure = "http://schemas.ogf.org/occi/infrastructure#";

/// An item as packages hold it.
struct Held {
  Held(const std::string& section, const std::string& id, const std::string& fields) {
    auto made = std::make_shared<packages::Package>();
    made->name = id.substr(0, id.find('/'));
    packages::Item item;
    item.section = section;
    item.id = id;
    item.fields = json::parse(fields).as_object();
    made->items.push_back(std::move(item));
    found = {made, &made->items.front()};
  }
  packages::FoundInPackage found;
};

std::optional<std::string> known(std::string_view item) {
  if (item == "site/shop/web") return occi_id("site", "site/shop/web");
  if (item == "ondemand/occi/disk") return "disk";
  return std::nullopt;
}

TEST(OcciItems, IdsAreNamesOnDemandAndUuidsElsewhere) {
  EXPECT_EQ(occi_id("ondemand", "ondemand/occi/web"), "web");
  const auto id = occi_id("site", "site/shop/web");
  EXPECT_THAT(id, testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_EQ(id, occi_id("site", "site/shop/web"));
  EXPECT_NE(id, occi_id("site", "site/shop/web2"));
}

TEST(OcciItems, ItemsOfOneNameInTwoSectionsHaveTwoIds) {
  EXPECT_EQ(occi_id("site", "site/shop/load"),
            "d6dd680d-72b4-843a-a068-6d71245d01df");  // given to items made before: it stays
  const auto collector = occi_id_beside_another("collectors", "site/shop/load");
  EXPECT_NE(collector, occi_id("site", "site/shop/load"));
  EXPECT_NE(collector, occi_id_beside_another("links", "site/shop/load"));
  EXPECT_EQ(collector, occi_id_beside_another("collectors", "site/shop/load"));
}

TEST(OcciItems, SectionsOfLinksComeAfterThoseOfResources) {
  const auto sections = occi_sections(occi::Model::shipped());
  const auto at = [&](std::string_view section) {
    return std::find(sections.begin(), sections.end(), section) - sections.begin();
  };
  EXPECT_LT(at("computes"), at("links"));
  EXPECT_LT(at("sensors"), at("collectors"));
  EXPECT_EQ(at("collectors") + 1, static_cast<std::ptrdiff_t>(sections.size()));
}

TEST(OcciItems, AFieldIsAnAttribute) {
  const auto model = occi::Model::shipped();
  const Held held(
      "computes", "ondemand/occi/web",
      R"({"title":"Web","hostname":"web-1","cores":4,"memory":16.0,"attributes":{"com":{"example":{"x":true}},"a.b":1}})");
  const auto entity = entity_of(model, held.found, known);
  ASSERT_TRUE(entity);
  EXPECT_EQ(entity->kind, kInfrastructure + "compute");
  EXPECT_EQ(entity->text("occi.compute.hostname"), "web-1");
  EXPECT_EQ(entity->attributes.at("occi.compute.memory"), occi::Value(16.0));
  EXPECT_EQ(entity->attributes.at("com.example.x"), occi::Value(true));
  EXPECT_EQ(entity->text("occi.compute.state"), "active");
  const auto item = item_of(model, *entity, [](std::string_view id) { return "ondemand/occi/" + std::string(id); });
  EXPECT_EQ(config::write_block(item),
            "title: Web\ncores: 4\nhostname: web-1\nmemory: 16\nattributes:\n  a.b: 1\n  com.example.x: true\n");
}

TEST(OcciItems, ALinkNamesItemsAndItsKindByItsTerm) {
  const auto model = occi::Model::shipped();
  const Held held(
      "links", "site/shop/mount",
      R"({"kind":"storagelink","source":"site/shop/web","target":"ondemand/occi/disk","state":"inactive"})");
  const auto entity = entity_of(model, held.found, known);
  ASSERT_TRUE(entity);
  EXPECT_EQ(entity->kind, kInfrastructure + "storagelink");
  EXPECT_EQ(entity->text(occi::kSource), occi_id("site", "site/shop/web"));
  EXPECT_EQ(entity->text(occi::kTarget), "disk");
  EXPECT_EQ(entity->text("occi.storagelink.state"), "inactive");
  const auto item = item_of(model, *entity,
                            [](std::string_view id) { return id == "disk" ? "ondemand/occi/disk" : "site/shop/web"; });
  EXPECT_EQ(config::write_block(item),
            "kind: storagelink\nsource: site/shop/web\ntarget: ondemand/occi/disk\nstate: inactive\n");
}

TEST(OcciItems, WithinItsPackageALinkNamesItemsWithoutIt) {
  const Held held("links", "site/shop/mount", R"({"source":"shop/web","target":"ondemand/occi/disk"})");
  const auto entity = entity_of(occi::Model::shipped(), held.found, known);
  ASSERT_TRUE(entity);
  EXPECT_EQ(entity->kind, "http://schemas.ogf.org/occi/core#link");
  EXPECT_EQ(entity->text(occi::kSource), occi_id("site", "site/shop/web"));
}

TEST(OcciItems, WhatLeadsToNoEntityOrIsOfNoKindIsNone) {
  const auto model = occi::Model::shipped();
  const Held astray("links", "site/shop/mount", R"({"source":"site/shop/web","target":"site/rules/x"})");
  EXPECT_FALSE(entity_of(model, astray.found, known));
  const Held odd("resources", "site/thing", R"({"kind":"planet"})");
  EXPECT_FALSE(entity_of(model, odd.found, known));
  const Held plain("resources", "site/thing", "{}");
  const auto entity = entity_of(model, plain.found, known);
  ASSERT_TRUE(entity);
  EXPECT_EQ(entity->kind, "http://schemas.ogf.org/occi/core#resource");
  EXPECT_EQ(config::write_block(item_of(model, *entity, {})), "{}\n");
}

TEST(OcciItems, ACollectorForASensorIsALinkWithSecondsForItsPeriod) {
  const auto model = occi::Model::shipped();
  const Held held("collectors", "ondemand/occi/c1",
                  R"({"source":"site/shop/web","target":"ondemand/occi/disk","period":3000,
                      "attributes":{"occi.collector.accuracy":0.5}})");
  const auto entity = entity_of(model, held.found, known);
  ASSERT_TRUE(entity);
  EXPECT_EQ(entity->kind, "http://schemas.ogf.org/occi/monitoring#collector");
  EXPECT_EQ(entity->attributes.at("occi.collector.period"), occi::Value(std::int64_t{3}));
  const auto item = item_of(model, *entity,
                            [](std::string_view id) { return id == "disk" ? "ondemand/occi/disk" : "site/shop/web"; });
  EXPECT_EQ(
      config::write_block(item),
      "source: site/shop/web\ntarget: ondemand/occi/disk\nperiod: 3s\nattributes:\n  occi.collector.accuracy: 0.5\n");
  const Held agents("collectors", "site/shop/check", "{}");
  EXPECT_FALSE(entity_of(model, agents.found, known)) << "what agents measure for the stores is no entity";
}

TEST(OcciItems, AMixinHasItsNameForATerm) {
  const Held held("mixins", "ondemand/blue", R"({"scheme":"http://x/y#","location":"/mixin/blue/","applies":["a#b"]})");
  const auto mixin = mixin_of(held.found);
  ASSERT_TRUE(mixin);
  EXPECT_EQ(mixin->id(), "http://x/y#blue");
  EXPECT_EQ(mixin->item, "ondemand/blue");
  EXPECT_EQ(config::write_block(item_of(*mixin)),
            "term: blue\nscheme: \"http://x/y#\"\nlocation: /mixin/blue/\napplies:\n  - a#b\n");
}

}  // namespace
}  // namespace atalaya::api
