#include "api/occi_maker.h"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <tuple>

#include "api/occi_items.h"

namespace atalaya::api {
namespace {

namespace json = boost::json;
using packages::FoundInPackage;
using packages::Package;
using packages::PackagePtr;

std::shared_ptr<const occi::Model> shipped() {
  static const auto model = std::make_shared<const occi::Model>(occi::Model::shipped());
  return model;
}

/// Packages whose items come, change and go; each change makes its package anew, as loading does.
class Packages {
 public:
  void set(const std::string& package, const std::string& section, const std::string& path, json::object fields) {
    change(package, [&](Package& made) {
      const auto id = package + "/" + path;
      drop(made, section, id);
      packages::Item item;
      item.section = section;
      item.id = id;
      item.fields = std::move(fields);
      made.items.push_back(std::move(item));
      std::ranges::sort(made.items, {}, [](const auto& one) { return std::tie(one.section, one.id); });
    });
  }
  void remove(const std::string& package, const std::string& section, const std::string& path) {
    change(package, [&](Package& made) { drop(made, section, package + "/" + path); });
  }
  void remove(const std::string& package) { packages_.erase(package); }

  std::vector<FoundInPackage> items(const std::string& section) const {
    std::vector<FoundInPackage> out;
    for (const auto& [name, package] : packages_) {
      for (const auto& item : package->items) {
        if (item.section == section) out.push_back({package, &item});
      }
    }
    return out;
  }
  OcciWorld made_by(OcciMaker& maker) const {
    return maker.make([this](const std::string& section) { return items(section); });
  }

 private:
  static void drop(Package& from, const std::string& section, const std::string& id) {
    std::erase_if(from.items, [&](const auto& one) { return one.section == section && one.id == id; });
  }
  void change(const std::string& name, const auto& how) {
    auto& slot = packages_[name];
    auto made = slot ? std::make_shared<Package>(*slot) : std::make_shared<Package>();
    made->name = name;
    how(*made);
    slot = std::move(made);
  }

  std::map<std::string, PackagePtr> packages_;
};

/// All that a world is.
std::string text_of(const occi::World& world) {
  std::string out;
  for (const auto* one : world.model().all()) out += one->id() + "\n";
  for (const auto* entity : world.members(nullptr)) {
    out += fmt::format("{} {} {} {}", entity->id, entity->kind, entity->item, entity->writable);
    for (const auto& mixin : entity->mixins) out += " " + mixin;
    for (const auto& [name, value] : entity->attributes)
      out += fmt::format(" {}={}:{}", name, value.index(), occi::text_of(value));
    for (const auto* link : world.links_of(entity->id)) out += " <- " + link->id;
    out += '\n';
  }
  return out;
}

constexpr std::string_view kOwn = "http://example.com/own#";

TEST(OcciMaker, EntitiesThatAreAsTheyWereAreShared) {
  Packages packages;
  packages.set("site", "computes", "all/web", {{"hostname", "web-1"}});
  packages.set("site", "computes", "all/db", {{"hostname", "db-1"}});
  OcciMaker maker(shipped());
  const auto before = packages.made_by(maker);
  packages.set("site", "computes", "all/db", {{"hostname", "db-2"}});
  const auto after = packages.made_by(maker);
  const auto web = occi_id("site", "site/all/web");
  const auto db = occi_id("site", "site/all/db");
  EXPECT_EQ(before->find(web), after->find(web));
  EXPECT_EQ(before->find(db)->text("occi.compute.hostname"), "db-1");
  EXPECT_EQ(after->find(db)->text("occi.compute.hostname"), "db-2");
}

TEST(OcciMaker, ALinkComesAndGoesWithItsEnds) {
  Packages packages;
  packages.set("ondemand", "sensors", "s", {});
  packages.set("ondemand", "collectors", "occi/c", {{"source", "s"}, {"target", "site/all/web"}});
  OcciMaker maker(shipped());
  EXPECT_EQ(packages.made_by(maker)->find("c"), nullptr);
  packages.set("site", "computes", "all/web", {});
  EXPECT_NE(packages.made_by(maker)->find("c"), nullptr);
  packages.remove("site");
  EXPECT_EQ(packages.made_by(maker)->find("c"), nullptr);
}

TEST(OcciMaker, AfterAnyChangesAWorldIsAsMadeFromNothing) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  const auto upto = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  const std::vector<std::string> owners{"ondemand", "site", "other"};
  // Few names, so that items of several groups, sections and packages share them.
  const auto path = [&] { return fmt::format("{}/{}", upto(2) == 0 ? "occi" : "all", std::string(1, "abc"[upto(3)])); };
  const auto end = [&] { return upto(2) == 0 ? path() : owners[upto(3)] + "/" + path(); };
  const std::vector<std::string> sections{"computes", "sensors", "collectors", "links", std::string(kOcciMixins)};
  const auto fields = [&](const std::string& section) {
    json::object out;
    if (upto(2) == 0) out["title"] = fmt::format("title {}", upto(3));
    if (section == "collectors" || section == "links") {
      out["source"] = end();
      out["target"] = end();
    }
    if (section == "links") out["kind"] = upto(2) == 0 ? "networkinterface" : "storagelink";
    if (section == kOcciMixins) {
      const auto term = std::string(1, "xy"[upto(2)]);
      out = {{"term", term}, {"scheme", kOwn}, {"location", "/own/" + term + "/"}};
      if (upto(2) == 0) out["depends"] = json::array{std::string(kOwn) + (term == "x" ? "y" : "x")};
    } else if (upto(2) == 0) {
      out["mixins"] = json::array{std::string(kOwn) + (upto(2) == 0 ? "x" : "y")};
      out["attributes"] = json::object{{"com.example.n", static_cast<std::int64_t>(upto(3))}};
    }
    return out;
  };
  Packages packages;
  OcciMaker kept(shipped());
  std::set<std::string> seen;
  std::size_t links = 0, shared = 0;
  OcciWorld before;
  for (int i = 0; i < 1000; ++i) {
    const auto& owner = owners[upto(3)];
    const auto& section = sections[upto(20) == 0 ? 4 : upto(4)];
    const auto what = upto(40);
    if (what == 0)
      packages.remove(owner);
    else if (what < 12)
      packages.remove(owner, section, path());
    else
      packages.set(owner, section, path(), fields(section));
    if (upto(3) == 0) continue;  // several changes at once
    OcciMaker fresh(shipped());
    const auto world = packages.made_by(kept);
    ASSERT_EQ(text_of(*world), text_of(*packages.made_by(fresh))) << "after change " << i;
    for (const auto* one : world->members(nullptr)) {
      links += world->links_of(one->id).size();
      shared += before && before->find(one->id) == one ? 1 : 0;
    }
    seen.insert(text_of(*world));
    before = world;
  }
  // What was compared was worth it.
  EXPECT_GT(seen.size(), 300U);
  EXPECT_GT(links, 1000U);
  EXPECT_GT(shared, 1000U);
}

}  // namespace
}  // namespace atalaya::api
