// Whether an endpoint is left alone for a while, because connections to it failed several times in a row. Only that
// counts: what it answers, and how fast, may be a client's doing. Pure: time is passed in.
#pragma once

#include <chrono>

namespace keygate::proxy {

class Ejection {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr unsigned failures_before = 3;
  static constexpr std::chrono::seconds first_time{1};
  static constexpr std::chrono::seconds longest_time{30};

  // Cheap where nothing has failed.
  bool has_failed() const { return failures_ > 0; }
  bool is_out(Time now) const { return times_ > 0 && now < until_; }

  // True: it has been put out, and was not before. Each time in a row is longer.
  bool note_failure(Time now);
  // True: it had been put out.
  bool note_success();
  // One request is about to go there. Where its time is over that is a trial: others wait `most` for how it ends.
  void begin_trial(Time now, std::chrono::milliseconds most);

 private:
  unsigned failures_ = 0;
  unsigned times_ = 0;  // in a row that it was put out
  bool is_on_trial_ = false;
  Time until_{};
};

}  // namespace keygate::proxy
