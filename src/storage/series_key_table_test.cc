#include "storage/series_key_table.h"

#include <gtest/gtest.h>

#include <array>

namespace atalaya::storage {
namespace {

TEST(SeriesKeyTable, FindsWhatWasBoundForThatTenantAlone) {
  SeriesKeyTable table(10);
  table.bind(TenantId{"a"}, {1, 2}, SeriesId{7});
  table.bind(TenantId{"a"}, {1, 3}, SeriesId{8});
  const std::array keys{SeriesKey{1, 3}, SeriesKey{2, 2}, SeriesKey{1, 2}};
  std::array ids{SeriesId{99}, SeriesId{99}, SeriesId{99}};
  table.find_bound(TenantId{"a"}, keys, ids);
  EXPECT_EQ(ids, (std::array{SeriesId{8}, SeriesId{0}, SeriesId{7}}));
  table.find_bound(TenantId{"b"}, keys, ids);
  EXPECT_EQ(ids, (std::array{SeriesId{0}, SeriesId{0}, SeriesId{0}}));
}

TEST(SeriesKeyTable, AFloodOfKeysEmptiesATenantsTableInsteadOfGrowingIt) {
  SeriesKeyTable table(2);
  for (std::uint64_t i = 1; i <= 3; ++i) table.bind(TenantId{"a"}, {i, i}, SeriesId{i});
  table.bind(TenantId{"b"}, {1, 1}, SeriesId{5});
  const std::array keys{SeriesKey{1, 1}, SeriesKey{3, 3}};
  std::array ids{SeriesId{99}, SeriesId{99}};
  table.find_bound(TenantId{"a"}, keys, ids);
  EXPECT_EQ(ids, (std::array{SeriesId{0}, SeriesId{3}}));
  table.find_bound(TenantId{"b"}, keys, ids);
  EXPECT_EQ(ids[0], SeriesId{5});
}

}  // namespace
}  // namespace atalaya::storage
