// Something that lives on a worker and is looked at each tick while it is linked: a client connection.
#pragma once

#include "keys/digest.hpp"

#include <boost/intrusive/list.hpp>

namespace keygate::proxy {

class Resident : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  virtual void on_tick() = 0;
  // The credential of `digest` is no longer what it was.
  virtual void on_change(const keys::KeyDigest& digest) = 0;
  // Idle clients leave; whoever is in an exchange finishes it.
  virtual void on_drain() = 0;
  // Some listener has got another door: a client that came by that one leaves when it is idle.
  virtual void on_other_door() = 0;
  // Ends it now, whatever it does.
  virtual void abort() = 0;

 protected:
  ~Resident() = default;
};
using ResidentList = boost::intrusive::list<Resident, boost::intrusive::constant_time_size<false>>;

}  // namespace keygate::proxy
