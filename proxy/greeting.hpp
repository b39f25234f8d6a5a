// What comes before the first request where a listener asks for it: the PROXY header, then TLS. Used by session.
#pragma once

#include "keys/asio.hpp"

namespace keygate::proxy {

class Client;
struct Door;

// Where the door reads a PROXY header: sets client.peer. False: the client does not get in, and hears nothing.
Awaitable<bool> learn_peer(Client& client, const Door& door);

// Where the door speaks TLS: the handshake. False: it has failed, and the client hears nothing but what TLS says
// itself.
Awaitable<bool> shake_hands(Client& client, const Door& door);

}  // namespace keygate::proxy
