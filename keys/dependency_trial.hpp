// Can Redis and the key service be used as they are configured? Tried once, with nothing kept up afterwards:
// `keygate check --connect`. Run by app on an io_context of its own.
#pragma once

#include "keys/asio.hpp"
#include "keys/dialect.hpp"
#include "keys/redis_connection.hpp"
#include "keys/service_access.hpp"

#include <functional>
#include <memory>
#include <string>

namespace keygate::keys {

// Called once, from the io_context: why it cannot be used, or an empty text.
using TrialDone = std::function<void(std::string flaw)>;

// Connects, says who it is, chooses the database and subscribes to `channel`, as a worker does.
void try_redis(net::io_context& io, const RedisLinkSettings& settings, const std::string& channel, TrialDone done);

// Asks whose a credential is that nobody has: "nobody's" is the only answer that will do.
void try_service(net::io_context& io, std::shared_ptr<const ServiceAccess> access, CredentialRole role, TrialDone done);

}  // namespace keygate::keys
