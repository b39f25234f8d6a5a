// Which changes to files are seen: every way in which editors, cert-manager and the kubelet make them.
#include "app/file_watch.hpp"

#include "tests/support/mounted_folder.hpp"
#include "tests/support/patience.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <sys/resource.h>
#include <vector>

namespace keygate::app {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::HasSubstr;

class FileWatchTest : public testing::Test {
 protected:
  FileWatchTest() { times.look = times.look_alone = 1h; }  // what is seen is seen by inotify

  void watch(const std::vector<std::string>& files) {
    watched = files;
    watcher = std::make_unique<FileWatch>(
        io,
        [this](const std::string& changed) {
          seen.push_back(changed);
          watcher->watch(states());
        },
        times);
    watcher->watch(states());
  }
  config::FileStates states() const {
    config::FileStates states;
    for (const std::string& path : watched) states.push_back(config::state_of(path));
    return states;
  }
  bool run_until(const std::function<bool()>& fact) {
    const auto deadline = std::chrono::steady_clock::now() + test::patience;
    while (!fact() && std::chrono::steady_clock::now() < deadline) io.run_one_for(5ms);
    return fact();
  }
  // Exactly one change more is seen, of `path`.
  testing::AssertionResult is_seen(const std::string& path) {
    const std::size_t before = seen.size();
    if (!run_until([&] { return seen.size() > before; })) return testing::AssertionFailure() << "nothing was seen";
    if (seen.back() != path) return testing::AssertionFailure() << seen.back() << " was seen";
    return testing::AssertionSuccess();
  }
  static void write_in_place(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  }

  net::io_context io{1};
  test::TempDir folder;
  FileWatch::Times times{5ms, 500ms, 1h, 1h};
  std::vector<std::string> watched, seen;
  std::unique_ptr<FileWatch> watcher;
};

// By then somebody else's change has been seen too: it waits for the writer.
TEST_F(FileWatchTest, HalfAFileIsNotRead) {
  const std::string one = folder.write("one", "a"), other = folder.write("other", "b");
  watch({one, other});
  std::ofstream writer(one, std::ios::binary | std::ios::trunc);
  writer << "half of it" << std::flush;
  write_in_place(other, "changed");
  const auto until = std::chrono::steady_clock::now() + 5 * times.quiet;
  run_until([&] { return std::chrono::steady_clock::now() > until; });
  EXPECT_TRUE(seen.empty()) << seen.back() << " was read while it was being written";
  writer << ", and the rest" << std::flush;
  writer.close();
  EXPECT_TRUE(run_until([&] { return !seen.empty(); }));
}

TEST_F(FileWatchTest, HalfAFileThatFitsAPatternIsNotRead) {
  folder.write("a.yaml", "a");
  const std::string pattern = folder / "*.yaml";
  watch({pattern});
  std::ofstream writer(folder / "b.yaml", std::ios::binary);
  writer << "half of it" << std::flush;
  const auto until = std::chrono::steady_clock::now() + 5 * times.quiet;
  run_until([&] { return std::chrono::steady_clock::now() > until; });
  EXPECT_TRUE(seen.empty()) << "it was read while it was being written";
  writer.close();
  EXPECT_TRUE(is_seen(pattern));
}

TEST_F(FileWatchTest, AFileWrittenInPlaceIsSeenEachTime) {
  const std::string file = folder.write("a", "0");
  watch({file});
  for (int i = 1; i < 5; ++i) {
    write_in_place(file, std::to_string(i));
    EXPECT_TRUE(is_seen(file)) << i;
  }
  EXPECT_EQ(seen.size(), 4U);
}

TEST_F(FileWatchTest, AFileRenamedOverItIsSeenEachTime) {
  const std::string file = folder.write("a", "0");
  watch({file});
  for (int i = 1; i < 5; ++i) {
    folder.write("a", std::to_string(i));
    EXPECT_TRUE(is_seen(file)) << i;
  }
}

TEST_F(FileWatchTest, AMountedFolderIsSeenEachTimeItIsSwapped) {
  test::MountedFolder mounted(folder.path() / "mounted");
  mounted.publish({{"tls.crt", "0"}, {"tls.key", "0"}});
  watch({mounted / "tls.crt", mounted / "tls.key"});
  for (int i = 1; i < 20; ++i) {
    mounted.publish({{"tls.crt", std::to_string(i)}, {"tls.key", "0"}});
    EXPECT_TRUE(is_seen(mounted / "tls.crt")) << i;
  }
  EXPECT_EQ(seen.size(), 19U);
}

TEST_F(FileWatchTest, AFolderThatIsMadeAnewIsSeen) {
  fs::create_directories(folder.path() / "one/two");
  const std::string file = folder.write("one/two/a", "0");
  watch({file});
  fs::remove_all(folder.path() / "one");
  EXPECT_TRUE(is_seen(file)) << "gone";
  for (int i = 1; i < 4; ++i) {
    fs::remove_all(folder.path() / "one");
    fs::create_directories(folder.path() / "one/two");
    folder.write("one/two/a", std::to_string(i));
    EXPECT_TRUE(is_seen(file)) << i;
  }
}

TEST_F(FileWatchTest, AFolderThatIsRenamedOverIsSeen) {
  fs::create_directories(folder.path() / "now");
  const std::string file = folder.write("now/a", "0");
  watch({file});
  for (int i = 1; i < 4; ++i) {
    fs::create_directories(folder.path() / "next");
    folder.write("next/a", std::to_string(i));
    fs::remove_all(folder.path() / "last");
    fs::rename(folder.path() / "now", folder.path() / "last");
    fs::rename(folder.path() / "next", folder.path() / "now");
    EXPECT_TRUE(is_seen(file)) << i;
    write_in_place(file, "again" + std::to_string(i));
    EXPECT_TRUE(is_seen(file)) << i;
  }
}

TEST_F(FileWatchTest, SymlinksAreFollowedWhereverTheyLead) {
  fs::create_directories(folder.path() / "archive");
  folder.write("archive/cert1", "0");
  folder.write("archive/cert2", "1");
  fs::create_directories(folder.path() / "live");
  fs::create_symlink("../archive/cert1", folder.path() / "live/cert");
  fs::create_symlink(folder.path() / "live", folder.path() / "here");
  const std::string file = folder / "here/cert";
  watch({file});
  write_in_place(folder / "archive/cert1", "changed");
  EXPECT_TRUE(is_seen(file));
  fs::create_symlink("../archive/cert2", folder.path() / "live/new");
  fs::rename(folder.path() / "live/new", folder.path() / "live/cert");
  EXPECT_TRUE(is_seen(file));
  write_in_place(folder / "archive/cert2", "changed too");
  EXPECT_TRUE(is_seen(file));
}

TEST_F(FileWatchTest, ASymlinkToItselfIsNoTrap) {
  fs::create_symlink("loop", folder.path() / "loop");
  watch({folder / "loop"});
  fs::remove(folder.path() / "loop");
  folder.write("loop", "a file");
  EXPECT_TRUE(is_seen(folder / "loop"));
}

TEST_F(FileWatchTest, AFileThatIsNotThereYetIsSeenWhenItComes) {
  watch({folder / "not/there/yet"});
  fs::create_directories(folder.path() / "not/there");
  folder.write("not/there/yet", "here");
  EXPECT_TRUE(is_seen(folder / "not/there/yet"));
}

// "z" would be the last to be found changed, and is what a change would be told of.
TEST_F(FileWatchTest, WhatIsTouchedOrWrittenAsItWasIsNoChange) {
  const std::string other = folder.write("a", "0"), same = folder.write("z", "the same");
  watch({other, same});
  const std::vector<std::function<void()>> ways{
      [&] { fs::last_write_time(same, fs::file_time_type::clock::now()); }, [&] { write_in_place(same, "the same"); },
      [&] { folder.write("z", "the same"); }, [&] { folder.write("neighbour", "any"); }};
  for (std::size_t i = 0; i < ways.size(); ++i) {
    ways[i]();
    write_in_place(other, std::to_string(i + 1));
    EXPECT_TRUE(is_seen(other)) << i;
  }
  EXPECT_EQ(seen.size(), ways.size());
}

TEST_F(FileWatchTest, ManyChangesAtOnceAreOne) {
  const std::string one = folder.write("a", "0"), other = folder.write("b", "0");
  times.quiet = 50ms;
  watch({one, other});
  for (int i = 1; i < 50; ++i) {
    write_in_place(one, std::to_string(i));
    folder.write("b", std::to_string(i));
  }
  EXPECT_TRUE(is_seen(other));
  EXPECT_EQ(seen.size(), 1U);
}

TEST_F(FileWatchTest, WhoNeverRestsIsSeenAllTheSame) {
  const std::string file = folder.write("a", "0");
  times.quiet = 1h;
  times.longest = 50ms;
  watch({file});
  int count = 0;
  EXPECT_TRUE(run_until([&] {
    write_in_place(file, std::to_string(++count));
    return !seen.empty();
  }));
}

TEST_F(FileWatchTest, AChangeBetweenReadingAndWatchingIsSeen) {
  const std::string file = folder.write("a", "0");
  watch({file});
  const config::FileStates read = states();
  folder.write("a", "1");
  watcher->watch(read);
  EXPECT_TRUE(is_seen(file));
}

TEST_F(FileWatchTest, WhatIsWatchedAsWellDoesNotReplaceTheRest) {
  const std::string one = folder.write("a", "0"), other = folder.write("b", "0");
  watch({one});
  watcher->watch_as_well({config::state_of(other)});
  watched = {one, other};
  write_in_place(other, "1");
  EXPECT_TRUE(is_seen(other));
  write_in_place(one, "1");
  EXPECT_TRUE(is_seen(one));
}

class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none{0, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(FileWatchTest, F60_WithoutInotifyItLooksAndSaysSo) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "UBSan needs descriptors of its own";
#endif
  const std::string file = folder.write("a", "0");
  times.look_alone = 5ms;
  const config::FileStates read{config::state_of(file)};
  testing::internal::CaptureStderr();
  watcher = std::make_unique<FileWatch>(
      io, [this](const std::string& changed) { seen.push_back(changed); }, times);
  {
    const NoDescriptors none;
    watcher->watch(read);
  }
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("not told of every change to a file (inotify: "));
  write_in_place(file, "1");
  EXPECT_TRUE(is_seen(file));
}

TEST_F(FileWatchTest, AfterStopNothingIsSeen) {
  const std::string file = folder.write("a", "0");
  watch({file});
  write_in_place(file, "1");
  io.poll();  // it has heard of it
  watcher->stop();
  watcher->watch(states());
  io.restart();
  io.run_for(test::patience);
  EXPECT_TRUE(io.stopped()) << "something is left to wait for";
  EXPECT_TRUE(seen.empty());
}

TEST(FilePlaces, EveryNameOnTheWayIsOneToWatch) {
  const test::TempDir folder;
  test::MountedFolder mounted(folder.path() / "m");
  mounted.publish({{"tls.crt", "x"}});
  Places places;
  add_places(mounted / "tls.crt", places);
  const std::string m = (folder.path() / "m").string();
  EXPECT_EQ(places[m], (std::set<std::string>{"tls.crt", "..data", "..version_1"}));
  EXPECT_EQ(places[m + "/..version_1"], (std::set<std::string>{"tls.crt"}));
  EXPECT_EQ(places[folder.path().string()], (std::set<std::string>{"m"}));
  EXPECT_TRUE(places["/"].contains(folder.path().relative_path().begin()->string()));
}

}  // namespace
}  // namespace keygate::app
