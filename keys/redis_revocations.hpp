// Tells all proxies of revoked and changed keys by way of Redis. Made by the key server, on its io_context.
#pragma once

#include "config/resolution_settings.hpp"
#include "keys/asio.hpp"
#include "keys/redis_connection.hpp"
#include "keys/revocation_sink.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace keygate::keys {

class RedisRevocations final : public RevocationSink {
 public:
  // How long a caller may be kept waiting for "every proxy has been told".
  static constexpr std::chrono::milliseconds patience{1'000};

  // Tombstones live for `bound`, and are tried for as long.
  RedisRevocations(net::io_context& io, const RedisLinkSettings& settings, std::vector<std::string> signing_keys,
                   std::chrono::milliseconds bound);
  ~RedisRevocations() override;

  void changed(const KeyDigest& digest, KeyChange change, Done done) override;

  // After a reload: another password, other signing keys, another bound. What is still being tried goes on with them.
  void apply(const RedisLinkSettings& settings, std::vector<std::string> signing_keys, std::chrono::milliseconds bound);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace keygate::keys
