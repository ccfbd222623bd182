-- Sends one request to the origin for all viewers who wait for the same object, and answers all of them as soon as the
-- response arrives. With nginx's own lock, waiting requests check every 500 ms, which is longer than a part.
--
-- The request is one to this nginx itself (nginx.conf, "fills"), which puts the response into the cache. It is not a
-- subrequest, because those do not work for viewers with HTTP/2, and runs in a timer, so it outlives each of the viewers.

local semaphore = require "ngx.semaphore"

-- The origin holds a request for at most three segments.
local HELD_S = 40
-- How often a worker process checks whether another one has received the response.
local POLL_S = 0.005
-- In each worker process; less than lua_max_running_timers, beyond which a timer would never run. Further requests are not
-- shared by this module: they wait for nginx's own lock.
local MOST_FLIGHTS = 4000
-- How long a key is remembered as cached; later requests simply find the response in nginx's cache.
local REMEMBERED_S = 5
local CHUNK = 65536
-- A refusal is a sentence.
local LONGEST_REFUSAL = 4096
-- The headers of a refusal that viewers get. X-Allowed-Origins is for nginx.conf.
local FORWARDED = {
    "Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Cache-Control", "Content-Encoding", "Content-Type",
    "Retry-After", "Vary", "X-Content-Type-Options",
}

local cached_keys = ngx.shared.cached_keys
local pending_keys = ngx.shared.pending_keys

local M = {}
local flights = {}
local flying = 0

local function read_headers(socket)
    local headers = {}
    while true do
        local line = socket:receive("*l")
        if not line then
            return nil
        end
        if line == "" then
            return headers
        end
        local name, value = line:match("^([^:]+):%s*(.-)%s*$")
        if name then
            headers[name:lower()] = value
        end
    end
end

local function discard_body(socket)
    repeat
        local data = socket:receiveany(CHUNK)
    until not data
end

-- Requests `target` through the cache. Returns the answer once it is there as a whole; its body is kept only if the
-- origin refuses. Returns nil if nginx does not answer.
local function request(target, viewer)
    local socket = ngx.socket.tcp()
    socket:settimeouts(1000, 1000, HELD_S * 1000)
    if not socket:connect(M.host, M.port) then
        return nil
    end
    socket:send({
        "GET ", target, " HTTP/1.0\r\nHost: ", viewer.host, "\r\nX-Forwarded-For: ", viewer.address,
        "\r\nAccept-Encoding: ", viewer.encoding, "\r\n\r\n",
    })
    local line = socket:receive("*l")
    local status = line and tonumber(line:match("^HTTP/1%.%d (%d%d%d)"))
    local headers = status and read_headers(socket)
    local answer
    if headers then
        answer = { status = status, headers = headers }
        if status ~= 200 then
            answer.body = socket:receiveany(LONGEST_REFUSAL)
        end
        discard_body(socket)
    end
    socket:close()
    return answer
end

-- Requests the object, or waits until another worker process has done so.
local function fill(key, target, viewer)
    local deadline = ngx.now() + HELD_S
    while not pending_keys:add(key, true, HELD_S) do
        ngx.sleep(POLL_S)
        if cached_keys:get(key) or ngx.now() > deadline then
            return nil
        end
    end
    local answer = request(target, viewer)
    if answer and answer.status == 200 then
        cached_keys:set(key, true, REMEMBERED_S)
    end
    pending_keys:delete(key)
    return answer
end

local function land(premature, flight, key, target, viewer)
    if not premature then
        local ok, answer = pcall(fill, key, target, viewer)
        if ok then
            flight.answer = answer
        else
            ngx.log(ngx.ERR, answer)
        end
    end
    flights[key] = nil
    flying = flying - 1
    if flight.waiting > 0 then
        flight.done:post(flight.waiting)
    end
end

local function take_off(key, target)
    if flying >= MOST_FLIGHTS then
        return nil
    end
    local var = ngx.var
    local viewer = { host = var.http_host or "", address = var.remote_addr, encoding = var.encoding }
    local flight = { done = semaphore.new(), waiting = 0 }
    local ok, reason = ngx.timer.at(0, land, flight, key, target, viewer)
    if not ok then
        ngx.log(ngx.ERR, "a request is not shared with other viewers: ", reason)
        return nil
    end
    flights[key] = flight
    flying = flying + 1
    return flight
end

local function refuse(answer)
    ngx.status = answer.status
    ngx.var.refused_to_origins = answer.headers["x-allowed-origins"] or ""
    for _, name in ipairs(FORWARDED) do
        ngx.header[name] = answer.headers[name:lower()]
    end
    ngx.print(answer.body)
    return ngx.exit(ngx.HTTP_OK)
end

-- Returns once `key` is in the cache. If the origin refuses, all waiting requests get the same refusal.
local function wait(key, target)
    if ngx.var.is_fill == "1" or ngx.req.get_method() == "OPTIONS" or cached_keys:get(key) then
        return
    end
    local flight = flights[key]
    if not flight then
        flight = take_off(key, target)
        if not flight then
            return
        end
        ngx.var.coalesced_status = "MISS"
    end
    flight.waiting = flight.waiting + 1
    flight.done:wait(HELD_S)
    local answer = flight.answer
    if answer and answer.status ~= 200 then
        return refuse(answer)
    end
end

-- The keys are those of nginx.conf.
function M.part()
    wait(ngx.var.raw_path, ngx.var.raw_path)
end

function M.playlist()
    local var = ngx.var
    if var.directive_msn ~= "" then
        wait(var.asked .. " " .. var.encoding, var.asked)
    end
end

return M
