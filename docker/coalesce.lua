-- Sends one request to the origin for all viewers who wait for the same object, and answers all of them as soon as the
-- response arrives. With nginx's own lock, waiting requests check every 500 ms, which is longer than a part.

local semaphore = require "ngx.semaphore"

-- The origin holds a request for at most three segments.
local HELD_S = 40
-- How often a worker process checks whether another one has received the response.
local POLL_S = 0.005
-- How long a key is remembered as cached; later requests simply find the response in nginx's cache.
local REMEMBERED_S = 5

local cached_keys = ngx.shared.cached_keys
local pending_keys = ngx.shared.pending_keys

local M = {}
local flights = {}

-- Requests the object from the origin through this location's cache, or waits until another worker has done so.
local function fill(key, path, query)
    local deadline = ngx.now() + HELD_S
    while not pending_keys:add(key, true, HELD_S) do
        ngx.sleep(POLL_S)
        if cached_keys:get(key) or ngx.now() > deadline then
            return nil
        end
    end
    local answer = ngx.location.capture(path, { args = query })
    ngx.var.coalesced_status = "MISS"
    if answer.status == 200 then
        cached_keys:set(key, true, REMEMBERED_S)
    end
    pending_keys:delete(key)
    return answer
end

local function refuse(answer)
    ngx.status = answer.status
    for name, value in pairs(answer.header) do
        ngx.header[name] = value
    end
    ngx.print(answer.body)
    return ngx.exit(ngx.HTTP_OK)
end

-- Returns once `key` is in the cache. If the origin refuses, all waiting requests get the same refusal.
local function wait(key, path, query)
    if cached_keys:get(key) then
        return
    end
    local flight = flights[key]
    if flight then
        flight.waiting = flight.waiting + 1
        flight.done:wait(HELD_S)
    else
        flight = { done = semaphore.new(), waiting = 0 }
        flights[key] = flight
        local ok, answer = pcall(fill, key, path, query)
        flight.answer = ok and answer or nil
        flights[key] = nil
        if flight.waiting > 0 then
            flight.done:post(flight.waiting)
        end
        if not ok then
            error(answer)
        end
    end
    local answer = flight.answer
    if answer and answer.status ~= 200 then
        return refuse(answer)
    end
end

function M.part()
    local path = ngx.var.uri
    wait(path, path)
end

function M.playlist()
    local var = ngx.var
    if var.directive_msn ~= "" then
        wait(var.uri .. " " .. var.directives .. " " .. var.encoding, var.uri, var.directives)
    end
end

return M
