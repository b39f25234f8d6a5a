// One client connection from accept to close: reads heads, has an exchange serve each, in order.
#pragma once

#include "proxy/client.hpp"
#include "proxy/worker.hpp"

namespace keygate::proxy {

// Spawns the session on the worker's io_context. Nothing it does throws out of it; what does is logged and ends this
// connection only.
void start_session(Worker& worker, Visitor visitor);

// One connection too many: answers 503 overloaded without reading a request, and closes. Of these, too, there are only
// so many at a time; the next ones are closed at once.
void start_refusal(Worker& worker, Visitor visitor);

}  // namespace keygate::proxy
