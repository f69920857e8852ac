-- SPDX-License-Identifier: BSD-2-Clause
-- All corners of Lua that this file could think of. What it prints is the same, byte for byte, under the host's lua5.4.
-- Run it in its folder: lua language.lua a b

local function show(...)
    local t = table.pack(...)
    for i = 1, t.n do
        local v = t[i]
        t[i] = type(v) == "string" and string.format("%q", v):gsub("\\\n", "\\n") or tostring(v)
    end
    print(table.concat(t, "  "))
end
local function fails(f, ...)
    show(pcall(f, ...))
end
local function chapter(name)
    print("--- " .. name)
end

chapter "arguments"
show(#arg, arg[0], arg[1], arg[2], ...)

chapter "integers and floats"
show(7 // 2, -7 // 2, 7 // -2, 7 % -3, -7 % 3, 7.5 // 2, -7.5 % 2, 1e308 * 10, -1e308 * 10)
show(math.maxinteger + 1 == math.mininteger, math.mininteger // -1, 5 // 0.0, -5 // 0.0, 0/0 ~= 0/0)
fails(function() return 1 // 0 end)
fails(function() return 1 % 0 end)
show(1 == 1.0, math.type(1), math.type(1.0), math.type("1"), 2^53 == 2^53 + 1, 10 / 2, 3 | 4, 5 ~ 3, ~0, 1 << 63, 1 << 64, -1 >> 1)
show("10" + 5, "0x10" * 2, 10 .. 20, "1e1" + 0, tostring(1e15), tostring(1e16), 2^31, 1e100, 0.1, 1/3, -0.0)
show(tonumber("  12  "), tonumber("12a"), tonumber("ff", 16), tonumber("zz", 36), tonumber("8", 8), tonumber("0x1p4"), tonumber("1e"), tonumber(""))
show(math.tointeger(3.0), math.tointeger(3.5), math.tointeger("8"), math.ult(1, -1), math.abs(math.mininteger), math.fmod(-7, 3), math.fmod(7, -3))
fails(function() return 1.5 | 1 end)
fails(function() return "a" + 1 end)
fails(function() return {} < {} end)
fails(function() return 2^63 | 0 end)
for i = math.maxinteger - 1, math.maxinteger do io.write(i, " ") end print()
for x = 1, 2, 0.25 do io.write(x, " ") end print()
for i = 3, 1 do error("never") end
fails(function() for i = 1, 10, 0 do end end)
show(math.floor(-3.5), math.ceil(-3.5), math.floor(1e300), math.sqrt(2), math.sin(1), math.cos(1), math.tan(1), math.exp(1), math.log(10), math.log(8, 2), math.log(1000, 10))
show(math.asin(1), math.acos(0), math.atan(1, -1), math.modf(-3.7), math.max(1, 2.5, -1), math.min(3, 2), math.pi)

chapter "string.format"
show(string.format("%d|%5d|%-5d|%05d|%+d|% d", 42, 42, 42, 42, 42, 42))
show(string.format("%x|%X|%#x|%o|%c%c", 255, 255, 255, 8, 72, 105))
show(string.format("%f|%.2f|%10.3f|%-10.1f|%e|%E|%g|%G|%.17g|%a", 3.14159, 3.14159, 3.14159, 3.14159, 12345.678, 0.00012, 1e20, 1e-5, 0.1, 1.0))
show(string.format("%s|%10s|%-10s|%.3s|%%|%q", "text", "right", "left", "truncate", 'a"b\n\0c\r'))
show(string.format("%q %q %q %q", 1, 0.1, math.mininteger, 1/0))
show(string.format("%i %u", 3.0, 4))
fails(string.format, "%d", 3.5)
fails(string.format, "%y", 1)
fails(string.format, "%d")
show(string.format("%.99f", 1/3):sub(1, 40), string.format("%s", setmetatable({}, {__tostring = function() return "mine" end})))
show(string.format("%5.1f|%.0f|%.0f|%.0f", 2.25, 0.5, 1.5, 2.5), 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 123456789012345678)

chapter "strings and patterns"
show(("hello"):upper(), ("HELLO"):lower(), ("abc"):rep(3, "-"), ("abc"):reverse(), #"a\0b", ("abc"):byte(1, -1))
show(("hello world"):find("wor"), ("hello"):find("l+"), ("a.b"):find(".", 1, true), ("abc"):find("b", -1), (""):find(""))
show(("key = value"):match("^(%w+)%s*=%s*(%w+)$"), ("2026-11-22"):match("(%d+)-(%d+)-(%d+)"), ("[[x]]"):match("%[%[(.-)%]%]"))
show(("hello world"):gsub("o", "0"), ("hello"):gsub("", "-"), ("abc"):gsub("%w", "%0%0"), ("$name is $age"):gsub("%$(%w+)", {name = "Lua", age = 33}))
show(("THE (quick) fox"):find("%((%a+)%)"), ("f(a(b)c)d"):match("%b()"), ("THE fox"):gsub("%f[%a]%a+", string.lower))
show(("x"):rep(0), ("x"):rep(-1), ("äöü"):len(), ("%d"):gsub("%%", "%%%%"))
for k, v in ("a=1, b=2, c=3"):gmatch("(%w+)=(%w+)") do io.write(k, v, ";") end print()
fails(string.rep, "x", 1 << 40)
fails(string.gsub, "x", "(", "")
fails(string.find, "x", "[a")
fails(string.gsub, "x", "x", "%2")
show(string.pack("<i4 >i2 z s1", 1, 2, "zero", "len"):byte(1, -1))
show(string.unpack("<i4 >i2 z s1", string.pack("<i4 >i2 z s1", -1, 2, "zero", "len")))
show(string.packsize("i4 i8 d"), #string.dump(function() return 1 end) > 0)

chapter "utf8"
show(utf8.char(72, 228, 8364, 128512), utf8.len("häß€"), utf8.codepoint("€", 1), utf8.offset("aä€x", 4), utf8.len("\xff"))
for p, c in utf8.codes("aä€") do io.write(p, ":", c, " ") end print()
show(("\u{48}\u{20AC}\x41\065\z
      joined"))
fails(function() for _ in utf8.codes("\xff") do end end)

chapter "tables"
local t = {5, 2, 8, 1, 9, 3}
table.sort(t) show(table.concat(t, ","))
table.sort(t, function(a, b) return a > b end) show(table.concat(t, ","))
table.insert(t, 1, 10) table.insert(t, 0) show(table.remove(t, 1), table.remove(t), table.concat(t, ","))
show(table.unpack({1, 2, 3}, 2), select(-1, 1, 2, 3), select("#", nil, nil), table.pack(nil, 1).n)
show(table.concat(table.move({1, 2, 3}, 1, 3, 2), ","), #{1, 2, nil, 4} >= 2, next({}), rawlen({1, 2}), rawequal(t, t))
fails(table.sort, {3, 1, "x"})
fails(table.concat, {1, {}, 3})
fails(table.insert, {1, 2}, 5, 1)
fails(table.sort, {1, 2, 3, 4, 5}, function() return true end)
fails(function() local x = nil; return x.y end)
fails(function() local t = {}; t[nil] = 1 end)
fails(function() local t = {}; t[0/0] = 1 end)
fails(function() return #5 end)
fails(function() undefined_function() end)
fails(function() local t = {} t.a.b.c = 1 end)
local sum = 0
local big = {}
for i = 1, 100000 do big[i] = i end
for i = 1, 100000, 2 do big[i] = nil end
for k, v in pairs(big) do sum = sum + k end
show(sum)

chapter "metatables"
local V = {}
V.__index = V
V.__add = function(a, b) return setmetatable({x = a.x + b.x}, V) end
V.__eq = function(a, b) return a.x == b.x end
V.__lt = function(a, b) return a.x < b.x end
V.__le = function(a, b) return a.x <= b.x end
V.__call = function(self, y) return self.x * y end
V.__len = function(self) return self.x end
V.__concat = function(a, b) return "cat" end
V.__unm = function(a) return setmetatable({x = -a.x}, V) end
V.__idiv = function() return "idiv" end
V.__band = function() return "band" end
V.__close = function(self, e) print("closed", self.x, e) end
V.__name = "vector"
local a, b = setmetatable({x = 1}, V), setmetatable({x = 2}, V)
show((a + b).x, a == b, a < b, a <= b, a(10), #b, a .. b, a .. "s", (-a).x, a // b, a & b, a ~= b)
local log = setmetatable({}, {__index = function(_, k) return k .. "?" end, __newindex = function(t, k, v) rawset(t, k, v * 2) end})
log.y = 4
show(log.y, log.z, getmetatable("").__index == string)
show(getmetatable(setmetatable({}, {__metatable = "locked"})))
fails(setmetatable, setmetatable({}, {__metatable = 1}), {})
do
    local c <close> = a
    local k <const> = 3
    print("inside", k)
end
show(pcall(function() local c <close> = b; error("thrown") end))
for i, v in (function() return function(_, i) i = i + 1 if i < 4 then return i, i * i end end, nil, 0 end)() do io.write(i, "^2=", v, " ") end print()

chapter "closures, varargs, goto"
local function counter() local n = 0 return function() n = n + 1 return n end end
local c1, c2 = counter(), counter()
show(c1(), c1(), c2())
local fs = {}
for i = 1, 3 do fs[i] = function() i = i + 10 return i end end
show(fs[1](), fs[1](), fs[2](), fs[3]())
local function va(...) local a, b = ... return select("#", ...), a, b, (...) end
show(va()) show(va(nil)) show(va(1, 2, 3))
for i = 1, 3 do
    for j = 1, 3 do
        if j == 2 then goto continue end
        io.write(i, j, " ")
        ::continue::
    end
end
print()
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
local function tail(n, acc) if n == 0 then return acc end return tail(n - 1, acc + n) end
show(fib(22), tail(1000000, 0))
show(load("return ...", "chunk", "t", {})(7), load("syntax error here"))
local env = {print = print}
load("x = 5; y = x * 2", "c", "t", env)() show(env.x, env.y, x)
fails(load, 5)

chapter "errors"
fails(error, "plain") fails(error, {code = 5} and "table", 0) fails(error) fails(error, "level 2", 2)
show(select(2, pcall(error, {1})) ~= nil, pcall(pcall, error, "x"), xpcall(error, function(m) return m .. " handled" end, "oops"))
show(xpcall(function() local x = nil + 1 end, function(m) return (m:gsub("^.-:%d+: ", "")) end))
fails(function() error(setmetatable({}, {__tostring = function() return "custom" end})) end)
fails(function() assert(false) end) fails(function() assert(nil, "with words") end) show(assert(1, 2, 3))
local ok, e = pcall(function() local function deep(n) return 1 + deep(n + 1) end return deep(1) end)
show(ok, e:match("stack overflow"))
show(pcall(string.rep)) show(pcall(("x").bad)) show(pcall(ipairs)) show(tostring(nil), tostring(true))
local trace = debug.traceback("message", 1)
show(trace:match("^message\nstack traceback:\n"))

chapter "coroutines"
local co = coroutine.create(function(a, b)
    show("start", a, b)
    local c = coroutine.yield(a + b)
    show("resumed", c)
    local d, e = coroutine.yield(c * 2)
    return d + e
end)
show(coroutine.resume(co, 1, 2)) show(coroutine.status(co), coroutine.resume(co, 10)) show(coroutine.resume(co, 3, 4))
show(coroutine.status(co), coroutine.resume(co))
local gen = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end)
show(gen(), gen(), gen(), gen()) fails(gen)
show(coroutine.isyieldable(), coroutine.wrap(function() return coroutine.isyieldable(), coroutine.running() ~= nil end)())
local bad = coroutine.create(function() error("inside") end)
show(coroutine.resume(bad)) show(coroutine.close(bad), coroutine.status(bad))
local y = coroutine.wrap(function() return pcall(function() coroutine.yield(1) error("after") end) end)
show(y()) show(y())
local closing = coroutine.create(function() local c <close> = a coroutine.yield() end)
coroutine.resume(closing) show(coroutine.close(closing))
local many = {}
for i = 1, 2000 do many[i] = coroutine.wrap(function() local s = 0 while true do s = s + coroutine.yield(s) end end) many[i]() end
local total = 0
for r = 1, 5 do for i = 1, 2000 do total = total + many[i](i) end end
show(total)

chapter "garbage"
local weak = setmetatable({}, {__mode = "k"})
for i = 1, 100 do weak[{}] = i end
local gone = 0
do local x = setmetatable({}, {__gc = function() gone = gone + 1 end}) x = nil end
collectgarbage() collectgarbage()
show(next(weak), gone, collectgarbage("count") > 10, collectgarbage("isrunning"), collectgarbage("step"))
local s = 0
for i = 1, 200 do local junk = {} for j = 1, 500 do junk[j] = tostring(j) .. i end s = s + #junk end
show(s, collectgarbage("generational"), collectgarbage("incremental"))

chapter "modules and files"
local m = require "module"
show(m.loaded, require "module" == m, m.name(1, nil), package.loaded.module == m)
show(pcall(require, "no_such_module") == false)
show(loadfile("module.lua") ~= nil, (select(2, loadfile("nothing.lua"))), dofile("module.lua").loaded)
local n, bytes = 0, 0
for line in io.lines("module.lua") do n = n + 1 bytes = bytes + #line + 1 end
local f = assert(io.open("module.lua"))
show(n, bytes == f:seek("end"), f:seek("set", 3), f:read(4), f:read("l"), f:read("L"), f:seek("cur"))
f:seek("set") show(#f:read("a") == bytes, f:read("a"), f:read("l"), f:read(0), io.type(f)) f:close() show(io.type(f), io.type(5))
fails(f.read, f)
show(io.open("nothing.txt"))
show((select(2, pcall(io.lines, "nothing.txt"))))
io.write("io.write ", 1, " ", 2.5, "\n") io.stdout:write("chained "):write("write\n")
show(io.read("n"), io.read("l"), io.read(3), io.read("L"), io.read("l"))
for l in io.lines() do io.write("[", l, "]") end print()
show(io.read("l"), io.read("a"), io.read("n"))

chapter "os"
show(type(os.time()), os.time({year = 2026, month = 11, day = 22, hour = 12}) - os.time({year = 2026, month = 11, day = 21, hour = 12}))
show(os.date("!%Y-%m-%d %H:%M:%S", 1000000000), os.date("!*t", 86400).day, os.clock() >= 0, os.getenv("NO_SUCH_NAME"))
show(os.difftime(5, 3), pcall(os.date, "%Ez", 0))
local t0 = os.clock() local x = 0 for i = 1, 200000 do x = x + i end
show(os.clock() >= t0, os.clock() < t0 + 60, os.time() > 1600000000)
os.exit(7, true)
