#include "app/commands.hpp"
#include "app/version.hpp"

#include <CLI/CLI.hpp>
#include <boost/beast/version.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/version.hpp>
#include <openssl/crypto.h>
#include <spdlog/version.h>
#include <sqlite3.h>

#include <iostream>
#include <memory>
#include <string>

namespace keygate::app {
namespace {

boost::json::object facts() {
  boost::json::object libraries;
  libraries["boost"] = std::to_string(BOOST_VERSION / 100000) + "." + std::to_string(BOOST_VERSION / 100 % 1000) + "." +
                       std::to_string(BOOST_VERSION % 100);
  libraries["beast"] = std::to_string(BOOST_BEAST_VERSION);
  libraries["openssl"] = OpenSSL_version(OPENSSL_VERSION_STRING);
  libraries["sqlite"] = sqlite3_libversion();
  libraries["spdlog"] = std::to_string(SPDLOG_VER_MAJOR) + "." + std::to_string(SPDLOG_VER_MINOR) + "." +
                        std::to_string(SPDLOG_VER_PATCH);
  boost::json::object out;
  out["version"] = KEYGATE_VERSION;
  out["commit"] = KEYGATE_COMMIT;
  out["libraries"] = std::move(libraries);
  return out;
}

void print(bool is_json) {
  const boost::json::object out = facts();
  if (is_json) {
    std::cout << boost::json::serialize(out) << "\n";
    return;
  }
  std::cout << "keygate " << KEYGATE_VERSION << " (" << KEYGATE_COMMIT << ")\n";
  for (const auto& [name, version] : out.at("libraries").as_object()) {
    std::cout << "  " << name << " " << version.as_string().c_str() << "\n";
  }
}

}  // namespace

std::string_view version() { return KEYGATE_VERSION; }

std::string_view commit() { return KEYGATE_COMMIT; }

void add_version(CLI::App& root, int& status) {
  auto is_json = std::make_shared<bool>(false);
  CLI::App* const verb = root.add_subcommand("version", "Say which build this is");
  verb->description(
      "Examples:\n  keygate version\n  keygate version --json\n\nSay which build this is, and of which libraries.");
  verb->add_flag("--json", *is_json, "One JSON object instead of lines");
  verb->callback([is_json, &status] {
    print(*is_json);
    status = 0;
  });
}

}  // namespace keygate::app
