// Which files does a name with wildcards stand for? `*` is any text and `?` one character of the last part of a path;
// folders are named in full. What begins with a dot is none of them.
#pragma once

#include "config/fault.hpp"

#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace keygate::config {

bool is_file_pattern(std::string_view path);

// Whether `name`, which is no path, is one of those that `pattern` stands for.
bool fits_pattern(std::string_view pattern, std::string_view name);

// The names in the folder that fit, sorted byte by byte; whatever they are. None where there is no such folder, or it
// could not be listed to its end, and then `error` says why.
std::vector<std::string> names_fitting(const std::string& path, std::error_code& error);

// The paths of the files that `path` stands for, sorted. A name without wildcards stands for itself, whether or not it
// is there. A wildcard in a folder's name is a Fault. With wildcards, one that leads out of the folder by a symbolic
// link is a Fault, and so is none at all.
Parsed<std::vector<std::string>> files_of_pattern(const std::string& path);

}  // namespace keygate::config
