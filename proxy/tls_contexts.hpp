// The TLS of all listeners and upstreams, as their files were read at start or reload. Held by the snapshot.
#pragma once

#include "config/settings.hpp"

#include <memory>
#include <vector>

namespace keygate::proxy {

class ServerTls;
class UpstreamTls;

struct TlsContexts {
  std::vector<std::shared_ptr<const ServerTls>> listeners;    // by listener; null: it is plain
  std::vector<std::shared_ptr<const UpstreamTls>> upstreams;  // by upstream; null: none of its endpoints is https://
};

// What cannot be had is a Problem at the place that names it. A listener whose files say what those of one `in_force`
// did goes on with that, so that its clients' sessions can be resumed.
TlsContexts read_tls(const config::Settings& settings, config::Problems& problems, const TlsContexts& in_force);

// Wipes the keys of session tickets that have had their time. To be called now and then, as nobody may come for hours.
void forget_old_tickets(const TlsContexts& in_force);
// The same, and all those of what was in force and is no longer: connections keep that as long as they last.
void forget_old_tickets(const TlsContexts& in_force, const TlsContexts& before);

}  // namespace keygate::proxy
