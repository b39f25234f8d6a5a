#include "tests/architecture/source_rules.hpp"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::architecture {
namespace {

namespace fs = std::filesystem;

constexpr std::array walked{"telemetry", "config", "policy", "keys", "proxy", "app", "tests"};

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<fs::path> sources_under(const fs::path& folder) {
  std::vector<fs::path> found;
  if (!fs::exists(folder)) return found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const auto extension = entry.path().extension();
    if (entry.is_regular_file() && (extension == ".hpp" || extension == ".cpp")) found.push_back(entry.path());
  }
  return found;
}

TEST(Architecture, EverySourceKeepsTheRules) {
  const fs::path root = KEYGATE_SOURCE_DIR;
  std::size_t sources = 0;
  for (const auto* folder : walked) {
    for (const auto& source : sources_under(root / folder)) {
      const auto path = source.lexically_relative(root).generic_string();
      for (const auto& [line, rule] : violations(path, read_file(source)))
        ADD_FAILURE() << path << ':' << line << ": " << rule;
      ++sources;
    }
  }
  EXPECT_GT(sources, 3U) << "the walk found nothing to check under " << root;
}

// --- The rules see what they are there for
// -----------------------------------------------------------------------------

struct Case {
  std::string_view name;
  std::string_view path;
  std::string_view body;  // after `#pragma once` and the folder's namespace, so on line 3
  std::string_view rule;  // a part of the one violation, or empty: none
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.path << ": " << c.body; }

std::string source_with(const Case& c) {
  const auto folder = c.path.substr(0, c.path.find('/'));
  return "#pragma once\nnamespace keygate::" + std::string(folder) + " {}\n" + std::string(c.body) + "\n";
}

class IncludeRules : public testing::TestWithParam<Case> {};

TEST_P(IncludeRules, JudgeTheLine) {
  const auto found = violations(GetParam().path, source_with(GetParam()));
  if (GetParam().rule.empty()) {
    EXPECT_TRUE(found.empty()) << found.front().rule;
    return;
  }
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].line, 3U);
  EXPECT_NE(found[0].rule.find(GetParam().rule), std::string::npos) << found[0].rule;
}

constexpr Case forbidden[] = {
    {"UpwardInclude", "policy/decide.cpp", "#include \"proxy/framing.hpp\"", "policy/ may not include proxy/"},
    {"SidewaysInclude", "telemetry/log.cpp", "#include \"config/settings.hpp\"", "telemetry/ may not include config/"},
    {"ConfigIncludesPolicy", "config/loader.cpp", "#include \"policy/policy.hpp\"", "config/ may not include policy/"},
    {"KeysIncludeProxy", "keys/resolver.hpp", "#include \"proxy/session.hpp\"", "keys/ may not include proxy/"},
    {"ProxyIncludesApp", "proxy/listener.cpp", "#  include \"app/worker.hpp\"", "proxy/ may not include app/"},
    {"ProductIncludesTests", "app/dev.cpp", "#include \"tests/support/clock.hpp\"", "app/ may not include tests/"},
    {"HeaderWithoutFolder", "app/dev.cpp", "#include \"dev.hpp\"", "\"folder/file.hpp\""},
    {"YamlInLoader", "config/loader.cpp", "#include <yaml-cpp/yaml.h>", "yaml-cpp stays in"},
    {"YamlInHeader", "config/yaml_reader.hpp", "#include <yaml-cpp/yaml.h>", "yaml-cpp stays in"},
    {"YamlInApp", "app/server.cpp", "#include <yaml-cpp/yaml.h>", "yaml-cpp stays in"},
    {"AsioInPolicy", "policy/decide.cpp", "#include <boost/asio/post.hpp>", "no I/O"},
    {"BeastInPolicy", "policy/target.cpp", "#include <boost/beast/http/read.hpp>", "no I/O"},
    {"VerbsOfBeastInPolicy", "policy/target.cpp", "#include <boost/beast/http/verb.hpp>",
     "policy/ may not use this library"},
    {"SocketInConfig", "config/loader.cpp", "#include <sys/socket.h>", "no I/O"},
    {"FileInPolicy", "policy/lint.cpp", "#include <fstream>", "no I/O"},
    {"ThreadInPolicy", "policy/lint.cpp", "#include <mutex>", "no threads"},
    {"SqliteInPureFile", "keys/key_record.cpp", "#include <sqlite3.h>", "no I/O"},
    {"HiredisInPureFile", "keys/credential.hpp", "#include <hiredis/hiredis.h>", "no I/O"},
    {"AsioThroughOwnHeader", "keys/digest.hpp", "#include \"keys/asio.hpp\"", "no I/O"},
    {"AsioInPureFile", "proxy/framing.cpp", "#include <boost/asio/buffer.hpp>", "no I/O"},
    {"ClockInPolicy", "policy/decide.cpp", "auto now = std::chrono::system_clock::now();", "no clock"},
    {"ClockInPureFile", "keys/key_record.cpp", "auto now = Clock::now();", "no clock"},
    {"TimeInConfig", "config/loader.cpp", "auto now = std::time(nullptr);", "no clock"},
    {"SocketsInTelemetry", "telemetry/otlp.cpp", "#include <netinet/in.h>", "telemetry/ may not use sockets"},
    {"AsioInTelemetry", "telemetry/otlp.cpp", "#include <boost/asio/post.hpp>", "telemetry/ may not use this library"},
    {"RedisInProxy", "proxy/session.cpp", "#include <hiredis/hiredis.h>", "proxy/ may not use this library"},
    {"PrometheusInProxy", "proxy/worker.cpp", "#include <prometheus/counter.h>", "proxy/ may not use this library"},
    {"AllOfBeastInHeader", "proxy/reply.hpp", "#include <boost/beast/http.hpp>", "the parts of Beast"},
    {"AllOfBeastInTestHeader", "tests/support/client.hpp", "#include <boost/beast.hpp>", "the parts of Beast"},
};

constexpr Case allowed[] = {
    {"DownwardInclude", "proxy/session.cpp", "#include \"policy/decide.hpp\"", ""},
    {"OwnFolder", "policy/decide.cpp", "#include \"policy/reason.hpp\"", ""},
    {"AppIncludesAll", "app/server.cpp", "#include \"proxy/session.hpp\"", ""},
    {"TestsIncludeAll", "tests/scenario/drain_test.cpp", "#include \"app/server.hpp\"", ""},
    {"YamlWhereItBelongs", "config/yaml_reader.cpp", "#include <yaml-cpp/yaml.h>", ""},
    {"StandardInPolicy", "policy/decide.cpp", "#include <chrono>", ""},
    {"AddressesAsText", "config/address.cpp", "#include <arpa/inet.h>", ""},
    {"SpdlogInTelemetry", "telemetry/log.cpp", "#include <spdlog/async.h>", ""},
    {"JsonInTelemetry", "telemetry/access_log.cpp", "#include <boost/json.hpp>", ""},
    {"AsioInKeys", "keys/redis_link.cpp", "#include <boost/asio/ip/tcp.hpp>", ""},
    {"CryptoInPureFile", "keys/digest.cpp", "#include <openssl/evp.h>", ""},
    {"AddressesOfAsioInPureFile", "proxy/forwarding.hpp", "#include <boost/asio/ip/address.hpp>", ""},
    {"NamesOfBeastInPureFile", "proxy/request_head.cpp", "#include <boost/beast/http/field.hpp>", ""},
    {"PartOfBeastInHeader", "proxy/relay.hpp", "#include <boost/beast/http/parser.hpp>", ""},
    {"AllOfBeastInSource", "proxy/relay.cpp", "#include <boost/beast/http.hpp>", ""},
    {"ClockInProxy", "proxy/session.cpp", "auto now = Clock::now();", ""},
    {"PrometheusInApp", "app/metrics.cpp", "#include <prometheus/text_serializer.h>", ""},
    {"MemberCalledTime", "policy/decide.cpp", "auto t = key.time() + retry_time(1);", ""},
    {"IncludeInComment", "policy/decide.cpp", "// #include \"proxy/session.hpp\" and Clock::now()", ""},
    {"IncludeInLiteral", "policy/decide.cpp", "auto s = \"time(0) \\\" ::now()\";", ""},
    {"IncludeInRawLiteral", "policy/decide.cpp", "auto s = R\"x(\n#include \"app/cli.hpp\"\n)x\";", ""},
    {"DigitSeparator", "policy/decide.cpp", "int a = 100'000;  // it's time(0)", ""},
};

std::string name_of(const testing::TestParamInfo<Case>& info) { return std::string(info.param.name); }

INSTANTIATE_TEST_SUITE_P(Forbid, IncludeRules, testing::ValuesIn(forbidden), name_of);
INSTANTIATE_TEST_SUITE_P(Allow, IncludeRules, testing::ValuesIn(allowed), name_of);

TEST(Rules, AskForPragmaOnce) {
  const auto found = violations("policy/method.hpp", "// #pragma once\nnamespace keygate::policy {}\n");
  EXPECT_EQ(found, (std::vector<Violation>{{1, "headers have #pragma once"}}));
}

TEST(Rules, AskForTheFoldersNamespace) {
  EXPECT_EQ(violations("policy/method.cpp", "namespace keygate::policy_extras {}\n").size(), 1U);
  EXPECT_EQ(violations("policy/method.cpp", "namespace keygate::proxy {}\n").size(), 1U);
  EXPECT_TRUE(violations("policy/method.cpp", "namespace keygate::policy {}\n").empty());
  EXPECT_TRUE(violations("app/main.cpp", "int main() {}\n").empty());
}

std::string lines(std::size_t count) {
  std::string text = "namespace keygate::keys {}\n#pragma once\n";
  for (std::size_t i = 2; i < count; ++i) text += '\n';
  return text;
}

TEST(Rules, KeepAwaitsOutOfChoices) {
  const auto flaws = [](std::string_view body) {
    return violations("proxy/session.cpp", "namespace keygate::proxy {\n" + std::string(body) + "\n}\n").size();
  };
  EXPECT_EQ(flaws("co_return a || co_await b();"), 1U);
  EXPECT_EQ(flaws("if (a &&\n    !co_await b()) {}"), 1U);
  EXPECT_EQ(flaws("x = a ? co_await b() : c;"), 1U);
  EXPECT_EQ(flaws("x = co_await b();\ny = a && x;"), 0U);
  EXPECT_EQ(flaws("if (!co_await b()) {}"), 0U);
}

TEST(Rules, LimitTheLength) {
  EXPECT_TRUE(violations("keys/store.hpp", lines(150)).empty());
  EXPECT_EQ(violations("keys/store.hpp", lines(151)).at(0).line, 151U);
  EXPECT_TRUE(violations("keys/store.cpp", lines(300)).empty());
  EXPECT_EQ(violations("keys/store.cpp", lines(301)).at(0).line, 301U);
  EXPECT_TRUE(violations("tests/unit/keys/store_test.cpp", lines(900)).empty());
}

TEST(CodeOnly, KeepsLinesAndColumns) {
  EXPECT_EQ(code_only("a /* b\n c */ d"), "a     \n      d");
  EXPECT_EQ(code_only("f('\"'); // x\ng"), "f(   );     \ng");
  EXPECT_EQ(code_only("\"open\nnext"), "     \nnext");
}

}  // namespace
}  // namespace keygate::architecture
