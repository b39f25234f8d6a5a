// What the proxies of a shipped example share: a real redis-server, and `keygate keyserver` on the example's own
// keyserver.yaml, with its store and tokens.
#pragma once

#include "tests/support/redis.hpp"
#include "tests/support/shipped_keys.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::test {

class ShippedKeyService : public ShippedKeys {
 public:
  explicit ShippedKeyService(std::string_view example);
  // Checks how the key server ends, that no key is in its log, and none in Redis.
  ~ShippedKeyService() override;
  ShippedKeyService(const ShippedKeyService&) = delete;
  ShippedKeyService& operator=(const ShippedKeyService&) = delete;

  // NAME=value: the store, the tokens, and where Redis and the key server are.
  std::vector<std::string> environment() const override;

  const Redis& redis() const { return redis_; }
  std::uint16_t port() const { return port_; }
  std::string token(std::string_view name) const;  // proxy, manage or admin
  std::string errors() const { return process_->errors(); }

  // Of the key server itself, with one of its tokens.
  Response call(std::string_view method, std::string_view target, std::string_view token_name,
                const std::string& body = "", const std::string& fields = "") const;

 private:
  void start();

  TempDir directory_;
  Redis redis_;
  std::uint16_t port_ = 0;
  std::uint16_t health_port_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace keygate::test
