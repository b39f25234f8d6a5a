// Sessions that are resumed by tickets, sealed with TicketKeys: no memory here, and no longer than they last.
#pragma once

struct ssl_ctx_st;

namespace keygate::proxy {

class TicketKeys;

// Whoever shows a ticket of `context` need not prove anew who they are, unless their certificate has expired
// meanwhile. `keys` outlive the context.
bool resume_by_tickets(ssl_ctx_st* context, TicketKeys& keys);

}  // namespace keygate::proxy
