// Files as Kubernetes mounts a ConfigMap or a Secret: each a symlink into ..data, itself a symlink to a folder that is
// replaced as a whole.
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace keygate::test {

class MountedFolder {
 public:
  explicit MountedFolder(std::filesystem::path path);

  // As the kubelet does it: a new folder, ..data renamed over, the old folder removed.
  void publish(const std::map<std::string, std::string>& files);

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  const std::filesystem::path path_;
  unsigned version_ = 0;
};

}  // namespace keygate::test
