// What decides which file a path leads to: each folder on the way with the names looked up in it, through every
// symlink. A file mounted by Kubernetes is one: tls.crt -> ..data/tls.crt, ..data -> ..2026_11_22, a folder.
#pragma once

#include <map>
#include <set>
#include <string>

namespace keygate::app {

using Places = std::map<std::string, std::set<std::string>>;  // names by folder, whose own path has no symlink

// As it is now, up to the first name that is not there.
void add_places(const std::string& path, Places& places);

}  // namespace keygate::app
