-- One request to the origin for all who wait for the same thing, and all of them answered in the moment it is there.
-- nginx's own lock has those who wait look every 500 ms, which is longer than a part.

local semaphore = require "ngx.semaphore"

-- The origin holds a request for at most three segments.
local HELD_S = 40
-- How often the other worker processes look for what one of them asks for.
local LOOK_S = 0.005
-- Those who come later find it in the cache.
local KEPT_S = 5

local kept = ngx.shared.kept
local asked = ngx.shared.asked

local M = {}
local flights = {}

-- Ask the origin through this location's cache, or wait until another worker has.
local function fill(key, path, query)
    local deadline = ngx.now() + HELD_S
    while not asked:add(key, true, HELD_S) do
        ngx.sleep(LOOK_S)
        if kept:get(key) or ngx.now() > deadline then
            return nil
        end
    end
    local answer = ngx.location.capture(path, { args = query })
    ngx.var.asked_by_this = "MISS"
    if answer.status == 200 then
        kept:set(key, true, KEPT_S)
    end
    asked:delete(key)
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

-- Returns once `key` is in the cache; what the origin refuses is refused here, to all who waited.
local function wait(key, path, query)
    if kept:get(key) then
        return
    end
    local flight = flights[key]
    if flight then
        flight.waiting = flight.waiting + 1
        flight.landed:wait(HELD_S)
    else
        flight = { landed = semaphore.new(), waiting = 0 }
        flights[key] = flight
        local well, answer = pcall(fill, key, path, query)
        flight.answer = well and answer or nil
        flights[key] = nil
        if flight.waiting > 0 then
            flight.landed:post(flight.waiting)
        end
        if not well then
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
    if var.asked_msn ~= "" then
        wait(var.uri .. " " .. var.asked .. " " .. var.encoding, var.uri, var.asked)
    end
end

return M
