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

function M.rest()
    serve(function(data)
        local message = cjson.decode(data)
        local response = ngx.location.capture(message.path, {
            method = ngx["HTTP_" .. message.method],
        })
        return cjson.encode {
            id = message.id,
            status = response.status,
            body = cjson.decode(response.body),
        }
    end)
end

return M
