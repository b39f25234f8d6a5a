-- The full job in nginx, as somebody who knows its Lua would write it: routes are locations of nginx, whoever was seen is remembered
-- by the worker, and Redis is asked over connections that are kept. It knows keys by their digests alone, as Keygate does.
local ffi = require "ffi"
local cjson = require "cjson"
local lru = require "resty.lrucache"

ffi.cdef [[
unsigned char *SHA256(const unsigned char *data, size_t size, unsigned char *digest);
unsigned char *ngx_hex_dump(unsigned char *to, const unsigned char *from, size_t size);
]]
local C, ngx = ffi.C, ngx
local byte, find, sub, len = string.byte, string.find, string.sub, string.len
local floor = math.floor
local digest, hex = ffi.new("unsigned char[32]"), ffi.new("unsigned char[64]")
local prefix, size, bound = "kg_live_", 48, 86400
local digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

local function has_checksum(key)
  local rest = ngx.crc32_long(sub(key, 1, size - 6))
  for at = size, size - 5, -1 do
    local above = floor(rest / 62)
    if byte(key, at) ~= byte(digits, rest - above * 62 + 1) then return false end
    rest = above
  end
  return true
end

local function key_of(header)
  if not header or len(header) ~= 7 + size or sub(header, 1, 7) ~= "Bearer " then return nil end
  local key = sub(header, 8)
  if sub(key, 1, 8) ~= prefix or find(key, "[^0-9A-Za-z]", 9) or not has_checksum(key) then return nil end
  return key
end

local function ask_redis(port, name)
  local socket = ngx.socket.tcp()
  socket:settimeout(1000)
  local ok, problem = socket:connect("127.0.0.1", port, {pool_size = 128})
  if not ok then return nil, problem end
  socket:send("*2\r\n$3\r\nGET\r\n$" .. len(name) .. "\r\n" .. name .. "\r\n")
  local line, wrong = socket:receive()
  if not line then return nil, wrong end
  local length = tonumber(sub(line, 2))
  if byte(line) ~= 36 then return nil, line end
  if length < 0 then
    socket:setkeepalive(60000, 128)
    return false
  end
  local record = socket:receive(length)
  socket:receive(2)
  socket:setkeepalive(60000, 128)
  return record
end

local function look_up(port)
  C.ngx_hex_dump(hex, digest, 32)
  local name = ffi.string(hex, 64)
  local text, problem = ask_redis(port, "keygate:v1:key:" .. name)
  if problem then return nil, 503 end
  if not text then return nil, 401 end
  local record = cjson.decode(text)
  if record.v ~= 1 or record.digest ~= name or record.state ~= "valid" then return nil, 401 end
  local is_granted = {}
  for _, scope in ipairs(record.scopes) do is_granted[scope] = true end
  return {is_granted = is_granted, granted = table.concat(record.scopes, " "), key_id = record.key_id,
          organization = record.organization_id, user = record.user_id, environment = record.environment}
end

local function new(port, max_keys)
  local remembered = max_keys > 0 and lru.new(max_keys)
  return function()
    local var = ngx.var
    if ngx.req.get_method() ~= "GET" or find(var.uri, "/", tonumber(var.at), true) then return ngx.exit(403) end
    local key = key_of(var.http_authorization)
    if not key then return ngx.exit(401) end
    C.SHA256(key, size, digest)
    local name = ffi.string(digest, 32)
    local who = remembered and remembered:get(name)
    if not who then
      local status
      who, status = look_up(port)
      if not who then return ngx.exit(status) end
      if remembered then remembered:set(name, who, bound) end
    end
    if not who.is_granted[var.need] then return ngx.exit(403) end
    var.key_id, var.organization, var.user = who.key_id, who.organization, who.user
    var.granted, var.environment = who.granted, who.environment
  end
end

return {new = new}
