// What comes before the first request where a listener asks for it: the PROXY header, then TLS. Used by session.
#pragma once

#include "keys/asio.hpp"

namespace keygate::proxy {

class Client;
struct Door;

// False: the client does not get in, and hears nothing but what TLS says itself.
Awaitable<bool> greet(Client& client, const Door& door);

}  // namespace keygate::proxy
