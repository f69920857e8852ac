-- SPDX-License-Identifier: BSD-2-Clause
-- Something of everything that Lua keeps in memory, in parts: after each it waits for a line of input, so that whoever
-- moves it about sets the pace. The same on every machine.
local text, tables, sum = "", {}, 0.5
local steps = coroutine.wrap(function()
    for i = 1, math.huge do
        sum = sum + math.sin(i) / (1 + i % 7)
        coroutine.yield(i)
    end
end)

local function work(part, line)
    for i = 1, 500 do
        local n = steps()
        local key = ("k%d"):format(n % 577)
        tables[key] = setmetatable({ n, tables[key] and tables[key][1] or 0, text:sub(-8) },
            { __tostring = function(t) return t[1] .. "/" .. t[2] .. "/" .. t[3] end })
        if n % 50 == 0 then text = (text .. string.char(97 + n % 26)):sub(-4000) end
    end
    local keys = {}
    for k in pairs(tables) do keys[#keys + 1] = k end
    table.sort(keys)
    print(part, line, #keys, tostring(tables[keys[part * 7 % #keys + 1]]), ("%.12f"):format(sum), #text)
end

for part = 1, tonumber(arg and arg[1] or 20) do
    for line = 1, 3 do work(part, line) end
    print("read " .. tostring(io.read()))
end
print("end", ("%.12f"):format(sum), text:sub(-20))
