// `paths`: each key sets its own relaxation, and none is on that was not asked for.
#include "tests/unit/config/loading.hpp"

#include <gmock/gmock.h>

namespace keygate::config {
namespace {

using testing::IsEmpty;

PathSettings read(const std::string& paths) {
  const auto loaded = load(three_lines + paths);
  EXPECT_THAT(rendered(loaded), IsEmpty()) << paths;
  return loaded.settings ? loaded.settings->paths : PathSettings{true, true, true, true};
}

TEST(Paths, RejectEverythingUnlessAskedTo) {
  EXPECT_EQ(read(""), PathSettings{});
  EXPECT_EQ(read("paths: {}\n"), PathSettings{});
  EXPECT_EQ(read("paths: {encoded_slash: reject, repeated_slashes: reject, dot_segments: reject, semicolon: reject}\n"),
            PathSettings{});
}

TEST(Paths, EachKeyIsOneRelaxation) {
  EXPECT_EQ(read("paths: {encoded_slash: opaque}\n"), PathSettings{.opaque_slashes = true});
  EXPECT_EQ(read("paths: {repeated_slashes: merge}\n"), PathSettings{.merge_slashes = true});
  EXPECT_EQ(read("paths: {dot_segments: resolve}\n"), PathSettings{.resolve_dots = true});
  EXPECT_EQ(read("paths: {semicolon: allow}\n"), PathSettings{.allow_semicolons = true});
}

}  // namespace
}  // namespace keygate::config
