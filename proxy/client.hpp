// One client's connection: its socket, the bytes read from it and not yet used, and who it is. Owned by its session's
// frame; an idle one holds no buffer.
#pragma once

#include "policy/reason.hpp"
#include "proxy/address_seats.hpp"
#include "proxy/counted.hpp"
#include "proxy/send_deadline.hpp"
#include "proxy/stream.hpp"
#include "proxy/worker.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace keygate::proxy {

struct Door;
struct Doorway;
class Vigil;

// Who has just connected, or was parked and says something. Over a unix socket there is no address.
struct Visitor {
  explicit Visitor(StreamSocket connected) : socket(std::move(connected)) {}

  StreamSocket socket;
  Address address;                         // of one who was parked: Client::peer
  bool is_local = false;                   // came over a unix socket
  bool was_parked = false;                 // has been greeted, and has its seat
  std::shared_ptr<const Doorway> doorway;  // null: there is none, and the first request comes first
  std::shared_ptr<const Door> door;        // that stood there when it came
  AddressSeat seat{};
  Counted counted{};
  std::uint64_t served = 0;
};

class Client final : public Resident {
 public:
  Client(Worker& owner, Visitor visitor);

  std::string_view unread() const { return {in.data() + begin, end - begin}; }
  void skip(std::size_t bytes) { begin += bytes; }
  // The client is at this address; unspecified: nobody knows where.
  void set_peer(const Address& address);

  // Room to read into: moves what is unread to the front first. Leases a buffer where there is none; grows it, up to
  // `limit`, when it is full. Empty: it is full and at its limit.
  std::span<char> room(std::size_t limit);
  // Gives the buffer back; only when nothing is unread.
  void release_buffer();

  // What follows the current request was read into another buffer: it is the unread bytes from now on.
  void replace_unread(Buffer buffer, std::size_t from, std::size_t to);

  // Starts a limit on what the socket waits for next; has_timed_out tells whether it passed.
  void limit(std::chrono::milliseconds after);
  void unlimit() { deadline.disarm(); }
  // The same for a write, which may go on beside a read. A client that takes nothing for so long has left.
  void limit_send(std::chrono::milliseconds after) { send_deadline.arm(worker, after); }

  void on_tick() override;
  void on_change(const keys::KeyDigest& digest) override;
  void on_drain() override;
  void on_other_door() override;
  void abort() override;
  // Ends what is being served, because who asked for it no longer may: with an answer where none has begun.
  void cut(policy::Reason why);

  // The listener meets its clients otherwise since a reload: what this one asks for is not what it would be given.
  bool is_at_another_door() const;

  // Closes the connection in the middle of whatever is being said.
  void end_now(policy::Reason why);

  Worker& worker;
  Stream stream;
  Address peer;                                    // or who it speaks for, by its PROXY header
  std::string peer_text;                           // "unknown" where it has no address
  std::string subject;                             // of the certificate that it showed; empty: none
  std::shared_ptr<const Doorway> doorway;          // by which it came
  std::shared_ptr<const Door> door;                // that stood there then
  std::optional<config::DecisionDialect> decides;  // it asks for decisions, so
  AddressSeat seat;                                // of limits.connections_per_ip
  Counted counted;                                 // of the worker's clients
  Buffer in;
  std::size_t begin = 0;
  std::size_t end = 0;
  Deadline deadline;
  SendDeadline send_deadline;
  bool has_timed_out = false;
  bool is_idle = false;                   // between two requests, nothing received
  bool is_leaving = false;                // told to leave while idle
  UpstreamConnection* awaited = nullptr;  // an answer is waited for here; cancelled when the client leaves
  bool may_half_close = false;            // in a tunnel: that it has closed its side is for the other end to hear
  bool has_left = false;
  bool has_answer_begun = false;          // a final one, to what is being served
  std::optional<policy::Reason> was_cut;  // by us: it took longer than there was time to drain, or its key went
  Vigil* vigil = nullptr;                 // over the credential of what is being served
  std::uint64_t served;                   // requests, the current one included
  std::uint64_t unwanted = 0;             // bytes still to come of a body that was refused
};

}  // namespace keygate::proxy
