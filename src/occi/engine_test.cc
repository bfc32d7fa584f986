#include "occi/engine.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "occi/reference_data.h"
#include "occi/test_world.h"

namespace atalaya::occi {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

template <typename T>
std::string why(const Result<T>& result) {
  return result ? std::string() : to_string(result.error());
}

TEST(Engine, MakesAnEntityWithTheIdOfItsAddress) {
  TestWorld t;
  const auto made = t.create(category("compute") + attribute("occi.compute.cores", "4"), "web-1");
  ASSERT_TRUE(made) << why(made);
  EXPECT_THAT(made->shown, ElementsAre("web-1"));
  const auto* entity = t.world.find("web-1");
  ASSERT_NE(entity, nullptr);
  EXPECT_EQ(entity->kind, infrastructure("compute"));
  EXPECT_EQ(entity->attributes.at("occi.compute.cores"), Value(std::int64_t{4}));
  EXPECT_EQ(t.world.wanted_state(*entity), "active");
}

TEST(Engine, AnIdIsTakenFromTheRenderingAndMustBeThatOfTheAddress) {
  TestWorld t;
  ASSERT_TRUE(t.create(category("compute") + attribute("occi.core.id", "\"urn:uuid:c2222\"")));
  EXPECT_NE(t.world.find("c2222"), nullptr);
  const auto other = t.create(category("compute") + attribute("occi.core.id", "\"urn:uuid:c3\""), "c4");
  EXPECT_THAT(why(other), HasSubstr("occi.core.id"));
  const auto again = t.create(category("compute"), "c2222");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kAlreadyExists);
}

TEST(Engine, RefusesWhatItDoesNotKnowByItsName) {
  TestWorld t;
  EXPECT_THAT(why(t.create(category("computer"))), HasSubstr("infrastructure#computer"));
  EXPECT_THAT(why(t.create(category("computer"))), HasSubstr("infrastructure#compute\""));
  EXPECT_THAT(why(t.create(category("compute") + attribute("occi.compute.core", "1"))),
              HasSubstr("occi.compute.cores"));
  EXPECT_THAT(why(t.create(category("compute") + attribute("occi.compute.cores", "\"four\""))),
              HasSubstr("occi.compute.cores"));
  EXPECT_THAT(why(t.create(category("compute") + attribute("occi.compute.cores", "1.5"))), HasSubstr("whole number"));
  EXPECT_THAT(why(t.create(category("compute") + attribute("occi.compute.architecture", "\"mips\""))),
              HasSubstr("x86|x64"));
  EXPECT_THAT(why(t.create(category("storage"))), HasSubstr("occi.storage.size is missing"));
  EXPECT_THAT(why(t.create(attribute("occi.compute.cores", "1"))), HasSubstr("no Category"));
  EXPECT_THAT(why(t.create(category("entity", "kind", kCoreScheme))), HasSubstr("core#entity"));
  EXPECT_THAT(why(t.create(category("compute") + category("network"))), HasSubstr("infrastructure#network"));
  EXPECT_EQ(t.world.size(), 0u);
}

TEST(Engine, ImmutableAttributesStayAsTheyAre) {
  TestWorld t;
  EXPECT_THAT(why(t.create(category("compute") + attribute("occi.compute.state", "\"suspended\""))),
              HasSubstr("occi.compute.state is immutable"));
  ASSERT_TRUE(t.create(category("compute") + attribute("occi.compute.state", "\"active\""), "c"));
  ASSERT_TRUE(t.create(category("network"), "n"));
  ASSERT_TRUE(t.create(category("networkinterface") + attribute("occi.core.source", "\"/occi/compute/c\"") +
                           attribute("occi.core.target", "\"n\"") +
                           attribute("occi.networkinterface.interface", "\"eth0\""),
                       "l"));
  EXPECT_THAT(why(t.update("l", attribute("occi.networkinterface.interface", "\"eth1\""), false)),
              HasSubstr("occi.networkinterface.interface is immutable"));
  const auto same = t.update("l", attribute("occi.networkinterface.interface", "\"eth0\""), false);
  ASSERT_TRUE(same) << why(same);
  EXPECT_TRUE(same->empty());
}

TEST(Engine, APartialUpdateKeepsTheRestAndAWholeOneDropsIt) {
  TestWorld t;
  ASSERT_TRUE(t.create(
      category("compute") + attribute("occi.compute.cores", "4") + attribute("occi.core.title", "\"a\""), "c"));
  ASSERT_TRUE(t.act("c", "stop"));
  ASSERT_TRUE(t.update("c", attribute("occi.core.title", "\"b\""), false));
  EXPECT_EQ(t.world.find("c")->attributes.at("occi.compute.cores"), Value(std::int64_t{4}));
  ASSERT_TRUE(t.update("c", category("compute") + attribute("occi.compute.memory", "2"), true));
  const auto& now = *t.world.find("c");
  EXPECT_FALSE(now.attributes.contains("occi.compute.cores"));
  EXPECT_FALSE(now.attributes.contains("occi.core.title"));
  EXPECT_EQ(now.attributes.at("occi.compute.memory"), Value(2.0));
  EXPECT_EQ(t.world.wanted_state(now), "inactive") << "the server's own stays";
  EXPECT_THAT(why(t.update("c", category("network"), true)), HasSubstr("never changes"));
}

TEST(Engine, LinksLeadBetweenEntitiesThatAreThereAndFit) {
  TestWorld t;
  ASSERT_TRUE(t.create(category("compute"), "c"));
  ASSERT_TRUE(t.create(category("storage") + attribute("occi.storage.size", "10"), "s"));
  const auto link = [&](const std::string& target) {
    return t.create(category("storagelink") + attribute("occi.core.source", "\"c\"") +
                    attribute("occi.core.target", "\"" + target + "\""));
  };
  EXPECT_THAT(why(link("x")), HasSubstr("occi.core.target"));
  EXPECT_THAT(why(link("c")), HasSubstr("infrastructure#storage"));
  EXPECT_THAT(why(t.create(category("storagelink") + attribute("occi.core.source", "\"c\""))),
              HasSubstr("occi.core.target is missing"));
  ASSERT_TRUE(link("http://example.com/occi/storage/s"));
  EXPECT_EQ(t.world.links_of("s").size(), 1u);
}

TEST(Engine, LinksOfANewResourceAreMadeAlongWithIt) {
  TestWorld t;
  ASSERT_TRUE(t.create(category("network"), "n"));
  const auto made = t.create(category("compute") +
                             "Link: </occi/network/n>; rel=\"http://schemas.ogf.org/occi/infrastructure#network\"; "
                             "category=\"http://schemas.ogf.org/occi/infrastructure#networkinterface\"; "
                             "occi.networkinterface.interface=\"eth0\"\n");
  ASSERT_TRUE(made) << why(made);
  ASSERT_EQ(made->put.size(), 2u);
  EXPECT_THAT(made->shown, ElementsAre("id-1"));
  EXPECT_EQ(made->put[1].text(kSource), "id-1");
  EXPECT_EQ(made->put[1].text(kTarget), "n");
}

TEST(Engine, WhatLeadsToARemovedEntityGoesWithIt) {
  TestWorld t;
  ASSERT_TRUE(t.create(category("network"), "n"));
  ASSERT_TRUE(t.create(category("compute"), "c"));
  ASSERT_TRUE(t.create(
      category("networkinterface") + attribute("occi.core.source", "\"c\"") + attribute("occi.core.target", "\"n\""),
      "l"));
  const auto removed = t.take(Engine(t.world, t.rules).remove({"n"}));
  ASSERT_TRUE(removed) << why(removed);
  EXPECT_THAT(removed->removed, ElementsAre("l", "n"));
  EXPECT_THAT(t.world.links_of("c"), IsEmpty());
}

TEST(Engine, ActionsFollowTheStates) {
  TestWorld t;
  ASSERT_TRUE(t.create(category("compute"), "c"));
  ASSERT_TRUE(t.act("c", "suspend", {{"method", std::string("hibernate")}}));
  EXPECT_EQ(t.world.wanted_state(*t.world.find("c")), "suspended");
  const auto again = t.act("c", "suspend");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kConflict);
  EXPECT_THAT(why(again), HasSubstr("compute/action#suspend"));
  ASSERT_TRUE(t.act("c", "start"));
  EXPECT_EQ(t.world.wanted_state(*t.world.find("c")), "active");
  EXPECT_THAT(why(t.act("c", "explode")), HasSubstr("known are: restart, save, start, stop, suspend"));
  EXPECT_THAT(why(t.act("c", "stop", {{"method", std::string("gently")}})), HasSubstr("method"));
  const auto save = t.act("c", "save");
  ASSERT_FALSE(save);
  EXPECT_EQ(save.error().code, ErrorCode::kUnprocessable);
}

TEST(Engine, AResizeNeedsASizeAndSetsIt) {
  TestWorld t;
  ASSERT_TRUE(t.create(category("storage") + attribute("occi.storage.size", "10"), "s"));
  EXPECT_THAT(why(t.act("s", "resize")), HasSubstr("size is missing"));
  ASSERT_TRUE(t.act("s", "resize", {{"size", std::int64_t{20}}}));
  EXPECT_EQ(t.world.find("s")->attributes.at("occi.storage.size"), Value(20.0));
}

TEST(Engine, AMixinsAttributesCountItAsListed) {
  TestWorld t;
  const auto made = t.create(category("network") + attribute("occi.network.address", "\"10.0.0.0/8\""), "n");
  ASSERT_TRUE(made) << why(made);
  EXPECT_THAT(made->warnings, ElementsAre(HasSubstr("network#ipnetwork is not listed")));
  EXPECT_TRUE(t.world.find("n")->has("http://schemas.ogf.org/occi/infrastructure/network#ipnetwork"));
  EXPECT_THAT(why(t.create(category("compute") +
                           category("ipnetwork", "mixin", "http://schemas.ogf.org/occi/infrastructure/network#"))),
              HasSubstr("does not apply"));
}

TEST(Engine, AMixinThatUsersDefineTagsEntities) {
  TestWorld t;
  ASSERT_TRUE(t.create(category("compute"), "a"));
  ASSERT_TRUE(t.create(category("compute"), "b"));
  CategoryLine tag;
  tag.term = "blue";
  tag.scheme = "http://example.com/occi/tags#";
  tag.cls = "mixin";
  tag.location = "/mixin/blue/";
  ASSERT_TRUE(t.take(Engine(t.world, t.rules).define({tag})));
  EXPECT_THAT(why(t.take(Engine(t.world, t.rules).define({tag}))), HasSubstr("already"));
  const auto blue = [&] { return t.world.model().at("/mixin/blue"); };
  ASSERT_TRUE(t.take(Engine(t.world, t.rules).associate(*blue(), {"a"}, false)));
  EXPECT_EQ(t.world.members(blue()).size(), 1u);
  ASSERT_TRUE(t.take(Engine(t.world, t.rules).associate(*blue(), {"b"}, true)));
  ASSERT_EQ(t.world.members(blue()).size(), 1u);
  EXPECT_EQ(t.world.members(blue()).front()->id, "b");
  EXPECT_THAT(why(t.take(Engine(t.world, t.rules).dissociate(*blue(), {"a"}))), HasSubstr("no member"));
  const auto shipped = Engine(t.world, t.rules).forget({infrastructure("os_tpl")});
  ASSERT_FALSE(shipped);
  EXPECT_EQ(shipped.error().code, ErrorCode::kPermissionDenied);
  ASSERT_TRUE(t.take(Engine(t.world, t.rules).forget({tag.id()})));
  EXPECT_EQ(blue(), nullptr);
  EXPECT_THAT(t.world.find("b")->mixins, IsEmpty());
}

TEST(Engine, FiltersByCategoryAndAttribute) {
  TestWorld t;
  ASSERT_TRUE(t.create(category("compute") + attribute("occi.compute.cores", "4"), "a"));
  ASSERT_TRUE(t.create(category("compute") + attribute("occi.compute.cores", "2"), "b"));
  ASSERT_TRUE(t.create(category("network"), "n"));
  const auto met = [&](Filter filter) {
    std::vector<std::string> out;
    const auto known = t.world.known(std::move(filter));
    for (const auto* one : t.world.members(nullptr)) {
      if (t.world.matches(*one, *known, {})) out.push_back(one->id);
    }
    return out;
  };
  EXPECT_THAT(met({{"compute"}, {}}), ElementsAre("a", "b"));
  EXPECT_THAT(met({{}, {{"occi.compute.cores", 4.0}}}), ElementsAre("a"));
  EXPECT_THAT(met({{}, {{"occi.core.id", std::string("n")}}}), ElementsAre("n"));
  EXPECT_FALSE(t.world.known({{"compute2"}, {}}));
}

TEST(Engine, WhatAPackageSaysBeyondCategoriesStays) {
  TestWorld t;
  ASSERT_TRUE(t.create(category("compute"), "c"));
  auto entity = *t.world.find("c");
  entity.attributes.emplace("site.rack", std::string("r1"));
  t.world.put(entity);
  ASSERT_TRUE(t.update("c", attribute("occi.compute.cores", "2"), false));
  EXPECT_EQ(t.world.find("c")->text("site.rack"), "r1");
  const auto shown = render_plain(message_of(t.world, *t.world.find("c"), {}, {"", "/occi"}));
  const auto again = t.update("c", shown, true);
  ASSERT_TRUE(again) << why(again);
  EXPECT_TRUE(again->empty());
  EXPECT_THAT(why(t.update("c", attribute("site.row", "1"), false)), HasSubstr("site.row belongs to no category"));
}

TEST(Engine, AttributesOfAMixinGoWithIt) {
  TestWorld t;
  ASSERT_TRUE(t.create(category("network") + attribute("occi.network.address", "\"10.0.0.0/8\""), "n"));
  const auto* mixin = t.world.model().mixin("http://schemas.ogf.org/occi/infrastructure/network#ipnetwork");
  ASSERT_TRUE(t.take(Engine(t.world, t.rules).dissociate(*mixin, {"n"})));
  EXPECT_FALSE(t.world.find("n")->attributes.contains("occi.network.address"));
}

TEST(Engine, KindsOfAnotherFileHaveTheirOwnRules) {
  TestWorld t;
  const auto file = config::Document::parse(R"(
scheme: http://example.com/occi/watch#
kinds:
  probe:
    parent: http://schemas.ogf.org/occi/core#resource
    location: /probe/
    section: probes
    attributes: {watch.period: {type: number, required: true, default: 5}}
  wire:
    parent: http://schemas.ogf.org/occi/core#link
    location: /wire/
    section: wires
    source: [http://example.com/occi/watch#probe, http://schemas.ogf.org/occi/core#resource]
mixins:
  mean:
    location: /mean/
    applies: [http://example.com/occi/watch#probe]
    attributes: {watch.mean.of: {type: string}, watch.mean.over: {type: integer, min: 1}}
)",
                                            "watch.yaml");
  ASSERT_TRUE(file) << why(file);
  auto model = t.world.model();
  const auto read = model.read(file->root());
  ASSERT_TRUE(read) << to_string(read.error());
  t.world.set_model(std::move(model));
  const std::string scheme = "http://example.com/occi/watch#";
  std::vector<std::string> seen;
  t.rules.behaviours[scheme + "probe"].check = [&](const World&, Entity& entity, const Entity* before,
                                                   std::vector<std::string>& warnings) -> Status {
    seen.push_back((before == nullptr ? "made " : "changed ") + entity.id);
    if (entity.text("watch.mean.of") == "nothing")
      return fail(ErrorCode::kInvalidArgument, "attribute watch.mean.of: there is no stream \"nothing\"");
    if (entity.attributes.contains("watch.mean.over")) warnings.push_back("it will take a while");
    return {};
  };
  ASSERT_TRUE(t.create(category("compute"), "c"));
  EXPECT_THAT(why(t.create(category("probe", "kind", scheme) + category("meen", "mixin", scheme))),
              HasSubstr("did you mean \"http://example.com/occi/watch#mean\"?"));
  EXPECT_THAT(why(t.create(category("probe", "kind", scheme) + attribute("watch.mean.of", "\"nothing\""))),
              HasSubstr("no stream \"nothing\""));
  EXPECT_EQ(t.world.find("id-1"), nullptr);
  seen.clear();
  const auto made = t.create(category("probe", "kind", scheme) + attribute("watch.mean.over", "3"), "p");
  ASSERT_TRUE(made) << why(made);
  EXPECT_THAT(made->warnings, testing::Contains("it will take a while"));
  EXPECT_EQ(t.world.find("p")->attributes.at("watch.period"), Value(5.0));
  ASSERT_TRUE(t.update("p", attribute("watch.period", "1"), false));
  EXPECT_THAT(seen, ElementsAre("made p", "changed p"));
  for (const auto& [from, to] : {std::pair{"c", "p"}, std::pair{"p", "c"}}) {
    const auto wire =
        t.create(category("wire", "kind", scheme) + attribute("occi.core.source", "\"" + std::string(from) + "\"") +
                 attribute("occi.core.target", "\"" + std::string(to) + "\""));
    EXPECT_TRUE(wire) << why(wire);
  }
}

TEST(Engine, ASecretIsSealedAndNeverShown) {
  TestWorld t;
  ASSERT_TRUE(t.create(category("compute") + attribute("atalaya.enrolment.token", "\"abc\""), "c"));
  EXPECT_EQ(t.world.find("c")->text("atalaya.enrolment.token"), "sealed:3");
  EXPECT_FALSE(t.world.visible(*t.world.find("c"), {}).contains("atalaya.enrolment.token"));
}

TEST(Engine, TheDemosComputeLoadsUnchanged) {
  const auto text = reference_data("occimon-live/c2222.json");
  if (!text) GTEST_SKIP() << text.error().message;
  TestWorld t;
  const auto made = t.create_json(*text);
  ASSERT_TRUE(made) << why(made);
  EXPECT_THAT(made->warnings, testing::Contains(HasSubstr("RMIMetricContainer is unknown")));
  const auto* entity = t.world.find("c2222");
  ASSERT_NE(entity, nullptr);
  EXPECT_EQ(entity->text("occi.compute.MetricContainerIPAddress"), "192.168.5.3");
  EXPECT_EQ(entity->attributes.at("occi.compute.memory"), Value(4.0));
}

TEST(Engine, WhatAClientWasShownChangesNothingWhenItComesBack) {
  TestWorld t;
  const Addresses addresses{"http://h:1", "/occi"};
  const Sight sight = [](const Entity& entity) {
    Attributes out;
    if (entity.kind == infrastructure("compute")) out.emplace("occi.compute.state.message", std::string("no agent"));
    return out;
  };
  t.rules.sight = sight;
  ASSERT_TRUE(t.create(category("network") + attribute("occi.network.address", "\"10.0.0.0/8\""), "n"));
  ASSERT_TRUE(t.create(
      category("compute") + attribute("occi.compute.cores", "4") + attribute("occi.core.title", "\"a, \\\"b\\\"\""),
      "c"));
  ASSERT_TRUE(t.create(
      category("networkinterface") + attribute("occi.core.source", "\"c\"") + attribute("occi.core.target", "\"n\""),
      "l"));
  for (const auto* id : {"c", "n", "l"}) {
    const auto& entity = *t.world.find(id);
    const auto text = t.update(id, render_plain(message_of(t.world, entity, sight, addresses)), true);
    ASSERT_TRUE(text) << why(text);
    EXPECT_TRUE(text->empty()) << id;
    const auto rendered = boost::json::serialize(to_json(t.world, entity, sight, addresses));
    const auto draft = draft_of(*read_content(Media::kJson, {}, rendered), t.world.model());
    ASSERT_TRUE(draft) << why(draft);
    const auto again = Engine(t.world, t.rules).update(id, *draft, true);
    ASSERT_TRUE(again) << why(again);
    EXPECT_TRUE(again->empty()) << id;
  }
}

}  // namespace
}  // namespace atalaya::occi
