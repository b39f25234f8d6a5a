// The gate against llhttp, the parser of Node.js, which nobody here wrote: of whatever comes, what the gate takes
// llhttp takes too, and reads the same requests in it; and what goes up is to llhttp exactly the requests that were
// sent on. docs/fuzzing.md says what may differ. Seed and number: KEYGATE_LLHTTP_SEED, KEYGATE_LLHTTP_CASES.
#include "tests/fuzz/gate_reading.hpp"
#include "tests/fuzz/request_maker.hpp"
#include "tests/support/process.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keygate::fuzz {
namespace {

namespace json = boost::json;

constexpr std::size_t cases_a_round = 10'000;

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoull(text);
}

std::vector<std::string> files_of(const std::string& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(KEYGATE_FUZZ_DIR "/corpus/" + folder)) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> texts;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    texts.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return texts;
}

RequestMaker maker(std::uint64_t seed) {
  std::vector<std::string> kept;
  for (const char* folder : {"request_head", "framing", "forward_head", "upgrade"}) {
    for (std::string& text : files_of(folder)) kept.push_back(std::move(text));
  }
  return {seed, std::move(kept), files_of("chunks")};
}

void append_sized(std::string& records, std::string_view bytes) {
  for (unsigned shift = 0; shift < 32; shift += 8) records += static_cast<char>(bytes.size() >> shift & 0xFFU);
  records += bytes;
}

void append(std::string& records, char kind, std::string_view bytes, std::string_view expected) {
  records += kind;
  append_sized(records, bytes);
  append_sized(records, expected);
}

struct Counts {
  std::uint64_t cases = 0, refused = 0, denied = 0, taken = 0, sent = 0, cut_short = 0;
};

void append_case(const std::string& input, RequestMaker& maker, std::string& records, Counts& counts) {
  const GateReading reading = read_by_gate(input, [&] { return 1 + maker.below(64); });
  ++counts.cases;
  counts.refused += reading.refused;
  counts.denied += reading.denied;
  counts.taken += reading.taken.requests.size();
  counts.sent += reading.sent.requests.size();
  counts.cut_short += reading.is_cut_short ? 1 : 0;
  if (!reading.taken.requests.empty()) {
    const char kind = reading.is_kept ? (reading.has_leniency ? 'K' : 'k') : (reading.has_leniency ? 'C' : 'c');
    append(records, kind, reading.taken.bytes, written(reading.taken.requests));
  } else if (reading.refused > 0) {
    append(records, 'r', input, "");
  }
  if (!reading.sent.requests.empty()) append(records, 'u', reading.sent.bytes, written(reading.sent.requests));
}

test::Command llhttp(std::string records) {
  return {.argv = {"node", "--no-deprecation", KEYGATE_FUZZ_DIR "/llhttp_reader.js"}, .input = std::move(records)};
}

json::object verdict_of(test::Process& process) {
  const auto status = process.wait(std::chrono::seconds(120));
  if (!status || *status != test::ExitStatus{0, 0}) {
    ADD_FAILURE() << "llhttp_reader.js did not end well\n" << process.errors();
    return {};
  }
  return json::parse(process.output()).as_object();
}

std::uint64_t count_in(const json::object& verdict, const char* name) {
  const auto* const value = verdict.if_contains(name);
  return value == nullptr ? 0 : value->to_number<std::uint64_t>();
}

std::string differences_in(const json::object& verdict) {
  std::string text;
  const auto* const list = verdict.if_contains("differences");
  if (list == nullptr) return "no verdict";
  for (const json::value& one : list->as_array()) {
    for (const char* name : {"bytes", "is", "expected"}) {
      text += (name == std::string_view("bytes") ? "base64 -d <<<" : std::string(name) + ":\n") +
              json::value_to<std::string>(one.at(name)) + "\n";
    }
  }
  return text;
}

class Llhttp : public testing::Test {
 protected:
  void SetUp() override {
    if (test::run({.argv = {"node", "--version"}}).status == test::ExitStatus{0, 0}) return;
    GTEST_SKIP() << "Node.js is not installed, so the gate was NOT held against llhttp: apt-get install nodejs";
  }

  std::uint64_t compared_ = 0, refused_and_taken_ = 0, taken_and_refused_ = 0;
  std::string version_;

  void settle(test::Process& process, std::uint64_t records) {
    const json::object verdict = verdict_of(process);
    EXPECT_EQ(count_in(verdict, "records"), records) << "not everything was read";
    EXPECT_EQ(count_in(verdict, "different"), 0U) << differences_in(verdict);
    compared_ += count_in(verdict, "records") - count_in(verdict, "refused");
    refused_and_taken_ += count_in(verdict, "refused_and_taken");
    taken_and_refused_ += count_in(verdict, "taken_and_refused");
    if (const auto* version = verdict.if_contains("llhttp")) version_ = version->as_string().c_str();
  }
};

std::uint64_t records_in(std::string_view records) {
  std::uint64_t count = 0;
  const auto size_at = [&](std::size_t at) {
    std::size_t size = 0;
    for (unsigned i = 0; i < 4; ++i)
      size |= static_cast<std::size_t>(static_cast<unsigned char>(records[at + i])) << 8 * i;
    return size;
  };
  for (std::size_t at = 0; at < records.size(); ++count) {
    at += 5 + size_at(at + 1);
    at += 4 + size_at(at);
  }
  return count;
}

TEST_F(Llhttp, R01M14_TakesWhatIsTakenAndReadsTheSame) {
  const std::uint64_t seed = number_from("KEYGATE_LLHTTP_SEED", 1);
  const std::uint64_t cases = number_from("KEYGATE_LLHTTP_CASES", KEYGATE_LLHTTP_CASES);
  RequestMaker requests = maker(seed);
  Counts counts;
  std::unique_ptr<test::Process> running;  // reads one round while the next is made
  std::uint64_t given = 0;
  while (counts.cases < cases && !HasFailure()) {
    std::string records;
    const std::uint64_t end = std::min(cases, counts.cases + cases_a_round);
    while (counts.cases < end) append_case(requests.next(), requests, records, counts);
    if (running) settle(*running, given);
    given = records_in(records);
    running = std::make_unique<test::Process>(llhttp(std::move(records)));
  }
  if (running) settle(*running, given);
  std::cout << "llhttp " << version_ << ", seed " << seed << ", " << counts.cases << " inputs: " << counts.taken
            << " requests taken, " << counts.sent << " sent on, " << compared_ << " readings compared; "
            << counts.refused << " inputs refused, of which llhttp takes " << refused_and_taken_
            << "; of what is taken llhttp refuses " << taken_and_refused_
            << " for tabs, extensions or trailers, and in " << counts.cut_short
            << " it stops reading where we do not\n";
  EXPECT_GT(counts.taken, cases / 3) << "too little gets through for this to mean anything";
  EXPECT_GT(counts.sent, cases / 4) << "too little goes up for this to mean anything";
  EXPECT_GT(counts.refused, cases / 10) << "too little is refused for this to be an attempt";
}

// What this test is worth: it is told of each of the ways in which a request may be smuggled.
TEST_F(Llhttp, IsHeardWhereItReadsSomethingElse) {
  const std::string good = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
  const GateReading reading = read_by_gate(good, [] { return std::size_t{1}; });
  const std::string due = written(reading.taken.requests);
  ASSERT_EQ(reading.taken.requests.size(), 1U);
  std::vector<std::string> others = {
      "GET /b HTTP/1.1\r\nHost: a\r\n\r\n",                        // another target
      "PUT /a HTTP/1.1\r\nHost: a\r\n\r\n",                        // another method
      "GET /a HTTP/1.0\r\nHost: a\r\n\r\n",                        // another version
      "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",   // another field
      good + good,                                                 // a second request
      "GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na",  // a body
      "GET /a HTTP/1.1\r\nHost: a\r\n",                            // no end
      "GET /a HTTP/1.1\r\nHost: a\r\n\r\nrubbish\r\n",             // and what is no request
      "GET /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-T: a\r\n\r\n",
  };
  for (const std::string& other : others) {
    std::string records;
    append(records, 'u', good, due);
    append(records, 'u', other, due);
    test::Process process(llhttp(std::move(records)));
    const json::object verdict = verdict_of(process);
    EXPECT_EQ(count_in(verdict, "records"), 2U);
    EXPECT_EQ(count_in(verdict, "different"), 1U) << other << differences_in(verdict);
  }
}

}  // namespace
}  // namespace keygate::fuzz
