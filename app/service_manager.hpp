// What systemd is told of this process's life, by its protocol sd_notify(3): a datagram to the socket that
// NOTIFY_SOCKET names. Where nobody set that, all of this does nothing. Called by run, keyserver, reloads and drains.
#pragma once

#include <string_view>

namespace keygate::app {

// `state` is lines of NAME=VALUE, such as "READY=1". Never blocks. False: nobody asked for it, or it could not be sent.
bool tell_service_manager(std::string_view state);

// For as long as a reload takes: RELOADING=1 with its time, and READY=1 at the end, whether or not it was refused.
class ReloadNotice {
 public:
  ReloadNotice();
  ~ReloadNotice();
  ReloadNotice(const ReloadNotice&) = delete;
  ReloadNotice& operator=(const ReloadNotice&) = delete;
};

}  // namespace keygate::app
