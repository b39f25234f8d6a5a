#include "app/log_lines.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>

namespace keygate::app {
namespace {

class Lines {
 public:
  explicit Lines(const std::function<void(std::string_view, std::uint64_t)>& take) : take_(take) {}

  void add(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::size_t end = bytes.find('\n');
      const std::string_view part = bytes.substr(0, end);
      if (end == std::string_view::npos) {
        keep(part);
        return;
      }
      bytes.remove_prefix(end + 1);
      if (kept_.empty()) {
        finish(part);
      } else {
        keep(part);
        finish(kept_);
      }
    }
  }

  void end() {
    if (!kept_.empty()) finish(kept_);
  }

 private:
  void keep(std::string_view part) { kept_ += part.substr(0, max_log_line - std::min(max_log_line, kept_.size())); }

  void finish(std::string_view line) {
    ++number_;
    line = line.substr(0, max_log_line);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) take_(line, number_);
    kept_.clear();
  }

  const std::function<void(std::string_view, std::uint64_t)>& take_;
  std::string kept_;  // of a line whose end has not come
  std::uint64_t number_ = 0;
};

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

int for_each_line(const std::string& file, const std::function<void(std::string_view, std::uint64_t)>& take) {
  const bool is_stdin = file == "-";
  const std::unique_ptr<std::FILE, Close> opened(is_stdin ? nullptr : std::fopen(file.c_str(), "rbe"));
  if (!is_stdin && !opened) return errno;
  std::FILE* const from = is_stdin ? stdin : opened.get();
  Lines lines(take);
  std::array<char, 256 * 1024> room;
  for (;;) {
    errno = 0;
    const std::size_t size = std::fread(room.data(), 1, room.size(), from);
    lines.add({room.data(), size});
    if (size == room.size()) continue;
    if (std::ferror(from) != 0) return errno == 0 ? EIO : errno;
    break;
  }
  lines.end();
  return 0;
}

}  // namespace keygate::app
