-- Echo and JSON to requests with lua-resty-websocket, which Debian packages as
-- lua-nginx-websocket.

local cjson = require "cjson.safe"
local server = require "nginx.websocket.server"

local M = {}

local function serve(answer)
    local socket = server:new { timeout = 3600000, max_payload_len = 1048576 }
    if not socket then
        return ngx.exit(ngx.HTTP_BAD_REQUEST)
    end
    while true do
        local data, kind = socket:recv_frame()
        if not data or kind == "close" then
            return
        elseif kind == "text" then
            socket:send_text(answer(data))
        end
    end
end

function M.echo()
    serve(function(data) return data end)
end

-- A keep-alive request to this nginx: ngx.location.capture is refused once the
-- module has taken the client's socket.
local function request(port, method, path)
    local upstream = ngx.socket.tcp()
    assert(upstream:connect("127.0.0.1", port, { pool_size = 128 }))
    assert(upstream:send(method .. " " .. path .. " HTTP/1.1\r\nHost: localhost\r\n\r\n"))
    local status = tonumber(assert(upstream:receive()):sub(10, 12))
    local length = 0
    repeat
        local line = assert(upstream:receive())
        length = tonumber(line:match("^Content%-Length: (%d+)")) or length
    until line == ""
    local body = upstream:receive(length)
    upstream:setkeepalive(60000, 128)
    return status, body
end

local function capture(_, method, path)
    local response = ngx.location.capture(path, { method = ngx["HTTP_" .. method] })
    return response.status, response.body
end

function M.rest(port)
    local call = ngx.var.arg_capture and capture or request
    serve(function(data)
        local message = cjson.decode(data)
        local status, body = call(port, message.method, message.path)
        return cjson.encode { id = message.id, status = status, body = cjson.decode(body) }
    end)
end

return M
