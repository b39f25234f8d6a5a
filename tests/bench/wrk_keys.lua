-- wrk asks with each key of the file KEYS in turn, and each path of the file PATHS where there is one. The turns go through them all,
-- from START or from anywhere, in steps that leave caches of the processor little to guess.
local function lines_of(name)
  local lines = {}
  for line in io.lines(name) do lines[#lines + 1] = line end
  return lines
end

local keys, paths
local key_at, path_at, key_step, path_step = 0, 0, 1, 1

local function step_of(count) return count > 1000 and 611953 or 1 end -- a prime: no count of ours is its multiple

function init()
  keys = lines_of(os.getenv("KEYS"))
  paths = lines_of(os.getenv("PATHS"))
  key_step, path_step = step_of(#keys), step_of(#paths)
  math.randomseed(os.time())
  key_at = tonumber(os.getenv("START")) or math.random(#keys)
  if os.getenv("START") then key_step = 1 end
end

function request()
  key_at = (key_at + key_step) % #keys
  path_at = (path_at + path_step) % #paths
  return "GET " .. paths[path_at + 1] .. " HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: bench/1.0\r\nAccept: application/json\r\n"
    .. "Authorization: Bearer " .. keys[key_at + 1] .. "\r\n\r\n"
end
