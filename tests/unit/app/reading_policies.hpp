// From the text of a policy to the policy, as a configuration with a session service would load it.
#pragma once

#include "config/policy_reader.hpp"
#include "policy/policy.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

namespace keygate::app {

inline config::Settings settings_of(const std::string& text) {
  config::Reading reading{
      std::make_shared<const std::string>("policy.yaml"), [](const std::string&) { return std::nullopt; }, {}};
  const auto document = config::read_yaml(text, reading.file);
  config::Settings settings;
  settings.file = "keygate.yaml";
  settings.upstreams.emplace_back().name = "app";
  settings.resolution.service.emplace().session_url.emplace();
  settings.listeners.emplace_back().tls.emplace().client_certificate = config::ClientCertificate::optional;
  for (const auto& problem : document.problems) ADD_FAILURE() << config::render(problem) << '\n' << text;
  if (!document.root) return settings;
  auto policy = config::policy_reader(config::Purpose::proxy).read(config::Value(*document.root, reading));
  for (const auto& problem : reading.problems) ADD_FAILURE() << config::render(problem) << '\n' << text;
  if (policy) settings.policy = *std::move(policy);
  return settings;
}

inline std::shared_ptr<const policy::Policy> policy_of(const config::Settings& settings) {
  const auto compiled = policy::compile(settings);
  for (const auto& problem : compiled.problems) ADD_FAILURE() << config::render(problem);
  return compiled.policy;
}

}  // namespace keygate::app
