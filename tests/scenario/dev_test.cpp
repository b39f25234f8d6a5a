// `keygate dev`: what it prints works as pasted.
#include "tests/support/keygate.hpp"
#include "tests/support/process.hpp"
#include "tests/support/recording_upstream.hpp"
#include "tests/support/socket.hpp"
#include "tests/support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <signal.h>
#include <sstream>

namespace keygate::test {
namespace {

std::vector<std::string> curl_lines(const std::string& output) {
  std::vector<std::string> found;
  std::istringstream text(output);
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("curl ") && !text.eof()) {
      found.push_back(line);
    }
  }
  return found;
}

class Dev : public testing::Test {
 protected:
  void SetUp() override {
    // The lines stay as they are; what makes their answers readable comes from curl's own file.
    home.write(".curlrc", "silent\nshow-error\ninclude\nmax-time = 20\nnoproxy = \"*\"\n");
  }

  // A home of its own: the key that lasts from one start to the next is not whoever runs the tests has.
  Command command(std::vector<std::string> argv) const {
    const std::string path = home.path().string();
    return {argv,
            {"HOME=" + path, "CURL_HOME=" + path, "XDG_CONFIG_HOME=" + path, "XDG_STATE_HOME=" + path,
             "XDG_DATA_HOME=" + path, "XDG_CACHE_HOME=" + path, "XDG_RUNTIME_DIR=" + path, "NO_COLOR=1",
             "OTEL_EXPORTER_OTLP_ENDPOINT=" + collector, "OTEL_TRACES_SAMPLER=always_on"},
            path};
  }

  std::unique_ptr<Process> start(std::vector<std::string> more = {}) {
    for (int attempt = 0; attempt < 3; ++attempt) {
      std::vector<std::string> argv{keygate_binary(), "dev", "--listen", "127.0.0.1:" + std::to_string(free_port())};
      argv.insert(argv.end(), more.begin(), more.end());
      auto process = std::make_unique<Process>(command(argv));
      eventually([&] { return process->exited() || curl_lines(process->output()).size() >= 2; });
      if (!process->exited()) {
        return process;
      }
      last_errors = process->errors();
    }
    throw std::runtime_error("keygate dev does not come up: " + last_errors);
  }

  void stop(Process& process) {
    process.signal(SIGTERM);
    EXPECT_EQ(process.wait(), (ExitStatus{0, 0})) << process.errors();
    EXPECT_FALSE(has_sanitizer_report(process.errors())) << process.errors();
  }

  Response paste(const std::string& line) {
    const Finished finished = run(command({"sh", "-c", line}));
    try {
      if (const auto response = read_response(finished.output, AnswerTo::get, true)) {
        return *response;
      }
    } catch (const Malformed&) {
    }
    ADD_FAILURE() << line << " says " << finished.output << finished.errors;
    return {};
  }

  TempDir home;
  std::string last_errors, collector;
};

TEST_F(Dev, ThePrintedLinesAreRefusedAndGranted) {
  const auto process = start();
  const auto lines = curl_lines(process->output());
  ASSERT_EQ(lines.size(), 2U) << process->output();
  const Response refused = paste(lines[0]);
  EXPECT_EQ(refused.status, 401) << refused.body;
  EXPECT_EQ(refused.fields["content-type"], "application/problem+json");
  const Response granted = paste(lines[1]);
  EXPECT_EQ(granted.status, 200) << granted.body;
  // The echo says what an upstream sees.
  for (const char* name : {"x-org-id", "x-key-id", "x-scopes", "x-auth-method"}) {
    std::string body = granted.body;
    std::transform(body.begin(), body.end(), body.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    EXPECT_NE(body.find(name), std::string::npos) << name << " in " << granted.body;
  }
  stop(*process);
}

TEST_F(Dev, ThereIsALineADecisionWithItsReason) {
  const auto process = start();
  paste(curl_lines(process->output()).at(0));
  EXPECT_TRUE(eventually([&] {
    return (process->output() + process->errors()).find("missing_credential") != std::string::npos;
  })) << process->output()
      << process->errors();
  stop(*process);
}

TEST_F(Dev, ALineSaysWhatWouldHaveToChange) {
  home.write("policy.yaml",
             "version: 1\nscopes:\n  a:read: Read\n  a:own: {description: Own, restricted: true}\nroutes:\n"
             "  - name: read-a\n    match: {methods: [GET], path: /a}\n    require: {scopes: a:read}\n"
             "  - name: own-a\n    match: {methods: [POST], path: /a}\n    require: {scopes: a:own}\n");
  const auto process = start({"--policy", home / "policy.yaml"});
  const std::string granted = curl_lines(process->output()).at(1);
  const auto says = [&](const std::string& text) {
    return eventually([&] { return process->output().find(text) != std::string::npos; });
  };
  paste(curl_lines(process->output()).at(0));
  EXPECT_TRUE(says("a key that passes holds a:read")) << process->output();
  EXPECT_EQ(paste(granted + " -X POST").status, 403);
  EXPECT_TRUE(says("needs a:own; the key holds a:read")) << process->output();
  EXPECT_EQ(paste(granted + " -X DELETE").status, 403);
  EXPECT_TRUE(says("nearly read-a: it takes GET")) << process->output();
  stop(*process);
  EXPECT_EQ(process->output().find('\x1b'), std::string::npos) << "no colour without a terminal";
}

TEST_F(Dev, InterruptedItSumsUp) {
  const auto process = start();
  const auto lines = curl_lines(process->output());
  paste(lines.at(0));
  paste(lines.at(1));
  paste(lines.at(1) + " -X POST");
  process->signal(SIGINT);
  EXPECT_EQ(process->wait(), (ExitStatus{0, 0})) << process->errors();
  const std::string output = process->output();
  const std::string summary = output.substr(std::min(output.size(), output.find("3 requests, 1 denied")));
  EXPECT_NE(summary.find("missing_credential 1"), std::string::npos) << output;
  EXPECT_NE(summary.find("write-hello"), std::string::npos) << output;
  EXPECT_NE(summary.find("needs:  hello:read,hello:write\n"), std::string::npos) << output;
  EXPECT_GT(output.find("3 requests"), output.rfind("ms\n")) << "behind the last request's line: " << output;
}

TEST_F(Dev, WithoutARequestItSaysSo) {
  const auto process = start();
  stop(*process);
  EXPECT_NE(process->output().find("No request came."), std::string::npos) << process->output();
}

TEST_F(Dev, AChangedPolicyIsReadAgain) {
  const auto policy = [](const std::string& scope) {
    return "version: 1\nscopes: {a: A, b: B}\nroutes:\n  - name: r\n    match: {path: /a}\n    require: {scopes: " +
           scope + "}\n";
  };
  home.write("policy.yaml", policy("a"));
  const auto process = start({"--policy", home / "policy.yaml"});
  const std::string refused = curl_lines(process->output()).at(0);
  paste(refused);
  home.write("policy.yaml", policy("b"));
  EXPECT_TRUE(eventually([&] { return process->errors().find("is in force") != std::string::npos; }))
      << process->errors();
  paste(refused);
  EXPECT_TRUE(eventually([&] { return process->output().find("a key that passes holds b") != std::string::npos; }))
      << process->output();
  stop(*process);
}

TEST_F(Dev, TheKeyIsTheSameOnEachStart) {
  const auto key_in = [](const std::string& line) {
    const auto begin = line.find("kg_");
    return begin == std::string::npos ? "" : line.substr(begin, line.find_first_of("'\" ", begin) - begin);
  };
  const auto first = start();
  const std::string key = key_in(curl_lines(first->output()).at(1));
  EXPECT_EQ(key.size(), 48U) << first->output();
  stop(*first);
  const auto second = start();
  EXPECT_EQ(key_in(curl_lines(second->output()).at(1)), key);
  EXPECT_EQ(paste(curl_lines(second->output()).at(1)).status, 200);
  stop(*second);
}

TEST_F(Dev, AnUpstreamOfOnesOwnIsAsked) {
  RecordingUpstream upstream;
  const auto process = start({"--upstream", "http://127.0.0.1:" + std::to_string(upstream.port())});
  EXPECT_EQ(paste(curl_lines(process->output()).at(0)).status, 401);
  EXPECT_EQ(upstream.bytes(), "");
  EXPECT_EQ(paste(curl_lines(process->output()).at(1)).status, 200);
  EXPECT_EQ(upstream.only_request().fields["x-auth-method"], "api_key");
  stop(*process);
}

// The variables of a shell where OpenTelemetry is in use are meant for others.
TEST_F(Dev, NothingIsExportedForTheSakeOfAVariable) {
  RecordingUpstream recording;
  collector = "http://127.0.0.1:" + std::to_string(recording.port());
  const auto process = start();
  EXPECT_EQ(paste(curl_lines(process->output()).at(1)).status, 200);
  stop(*process);  // what there is to send has been sent
  EXPECT_EQ(recording.bytes(), "");
  EXPECT_EQ(process->errors().find("OTEL"), std::string::npos) << process->errors();
}

TEST_F(Dev, OtherAddressesThanLoopbackAreRefused) {
  for (const std::string address : {"0.0.0.0:0", "0.0.0.0:8099", "[::]:8099", "192.0.2.1:8099"}) {
    const Finished finished = run(command({keygate_binary(), "dev", "--listen", address}));
    EXPECT_EQ(finished.status.code, 2) << address << finished.errors;
    EXPECT_TRUE(curl_lines(finished.output).empty());
  }
}

}  // namespace
}  // namespace keygate::test
