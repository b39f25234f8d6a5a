// What is shipped for proxies that ask (deploy/decision, docs/decision-service.md) takes off what forwarding drops.
#include "policy/reserved_names.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace keygate::proxy {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(std::string(KEYGATE_SOURCE_DIR) + "/" + path).rdbuf();
  EXPECT_NE(text.str(), "") << path;
  return lower(text.str());
}

// From one heading to the next of the docs.
std::string section(const std::string& heading) {
  const std::string docs = text_of("docs/decision-service.md");
  const std::size_t from = docs.find("\n## " + lower(heading) + "\n");
  EXPECT_NE(from, std::string::npos) << heading;
  return from == std::string::npos ? "" : docs.substr(from, docs.find("\n## ", from + 1) - from);
}

bool is_part_of_a_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_'; }

// As a whole name, or where it ends in '*' as the beginning of one.
bool has_name(const std::string& text, std::string name) {
  const bool is_beginning = name.ends_with('*');
  if (is_beginning) name.pop_back();
  for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
    const bool begins = at == 0 || !is_part_of_a_name(text[at - 1]);
    const std::size_t end = at + name.size();
    if (begins && (is_beginning || end == text.size() || !is_part_of_a_name(text[end]))) return true;
  }
  return false;
}

// All that forwarding drops, less what every proxy reads and writes itself (RFC 9110 §7.6.1).
std::vector<std::string> names_to_take_off() {
  const std::set<std::string> own{"connection",
                                  "content-length",
                                  "expect",
                                  "host",
                                  "keep-alive",
                                  "te",
                                  "trailer",
                                  "proxy-authenticate",
                                  "proxy-authentication-info",
                                  "transfer-encoding"};
  std::vector<std::string> names = policy::ReservedNames({}, config::CredentialSettings{}).all();
  std::erase_if(names, [&](const std::string& name) { return own.contains(name); });
  return names;
}

TEST(DecisionFiles, P21_HaveNginxTakeOffWhatForwardingDrops) {
  const std::string file = text_of("deploy/decision/keygate-headers.conf");
  for (const std::string& name : names_to_take_off()) {
    EXPECT_NE(file.find("proxy_set_header " + (name.ends_with('*') ? name.substr(0, name.size() - 1) : name + ' ')),
              std::string::npos)
        << name;
  }
}

TEST(DecisionFiles, P21_HaveCaddyTakeOffWhatForwardingDrops) {
  const std::string file = text_of("deploy/decision/Caddyfile");
  std::istringstream lines(file);
  std::vector<std::string> taken;
  for (std::string word; lines >> word;) {
    if (word != "request_header" && word != "header_up") continue;
    if (lines >> word && word.starts_with('@')) lines >> word;
    if (word.starts_with('-')) taken.push_back(word.substr(1));
  }
  for (const std::string& name : names_to_take_off()) {
    const bool is_taken = std::any_of(taken.begin(), taken.end(), [&](const std::string& one) {
      return one == name || (one.ends_with('*') && name.starts_with(one.substr(0, one.size() - 1)));
    });
    EXPECT_TRUE(is_taken) << name;
  }
}

// Every byte that a name may have besides letters, digits and '-' (RFC 9110 §5.6.2) folds to one.
TEST(DecisionFiles, H02_HaveCaddyTakeOffOtherSpellings) {
  const std::string file = text_of("deploy/decision/Caddyfile");
  for (const char c : std::string("!#$%&'*+.^_`|~")) {
    EXPECT_EQ(policy::fold(c), '-');
    EXPECT_NE(file.find(std::string("request_header -*") + c + "*\n"), std::string::npos) << c;
  }
}

// What nginx takes off by its whole name, which is all that is known of names that are dropped by their beginning.
std::set<std::string> names_that_nginx_takes_off() {
  std::istringstream lines(text_of("deploy/decision/keygate-headers.conf"));
  std::set<std::string> names;
  for (std::string word, name, value; lines >> word;) {
    if (word == "proxy_set_header" && lines >> name >> value && value == "\"\";") names.insert(name);
  }
  for (const char* const framing : {"connection", "trailer"}) names.erase(framing);
  return names;
}

TEST(DecisionFiles, P21_HaveTraefikAndEnvoyTakeOffWhatForwardingDrops) {
  EXPECT_GT(names_that_nginx_takes_off().size(), 60U);
  for (const std::string heading : {"Traefik", "Envoy"}) {
    const std::string text = section(heading);
    for (const std::string& name : names_to_take_off()) EXPECT_TRUE(has_name(text, name)) << heading << ": " << name;
    for (const std::string& name : names_that_nginx_takes_off()) {
      EXPECT_TRUE(has_name(text, name)) << heading << ": " << name;
    }
  }
}

}  // namespace
}  // namespace keygate::proxy
