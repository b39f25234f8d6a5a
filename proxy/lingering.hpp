// What a client still sends after it was answered: taken for a while and thrown away.
#pragma once

#include "keys/asio.hpp"

#include <cstdint>

namespace keygate::proxy {

class Client;

enum class Patience : std::uint8_t { brief, usual };

// Says that no more comes from us. Over TLS that may have to wait for a client that reads slowly: a second at most.
Awaitable<void> finish(Client& client);

// Says that no more comes from us, and takes what the client still sends until it closes: closing at once would reset
// the connection, and could take the answer with it from a client that reads it late. Up to 30 s and 64 MiB in all, and
// 5 s with less than 4 KiB; `brief`, and while the process drains: 1 s. Holds no buffer. Of a worker's clients so many
// may be waited out at a time; the next ones are closed at once.
Awaitable<void> linger(Client& client, Patience patience = Patience::usual);

// Takes client.unwanted bytes, the rest of a body that was refused, so that the next request can follow. False: they
// did not come in time.
Awaitable<bool> take_unwanted(Client& client);

}  // namespace keygate::proxy
