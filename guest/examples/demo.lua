-- SPDX-License-Identifier: BSD-2-Clause
-- Work to be seen: a numbered line about every half second, on Rotifer and, byte for byte the same,
-- on any host:
--
--   lua5.4 guest/examples/demo.lua > expected      and compare
--
-- arg[1] = how many lines (default 60, about half a minute on an emulated node). Every line
-- continues a computation from five lines before: what a process that moves would lose shows in all
-- later lines.

local lines = tonumber(arg and arg[1]) or 60

-- Everything "random" is from here: math.random starts differently in every run.
local seed = 1987
local function random(n)
    seed = (seed * 6364136223846793005 + 1442695040888963407) & 0x7fffffffffffffff
    return (seed >> 33) % n
end

-- Sum over a string's bytes that notices order: FNV-1a, 32 bits.
local function hash(text, h)
    h = h or 2166136261
    for i = 1, #text do
        h = ((h ~ text:byte(i)) * 16777619) & 0xffffffff
    end
    return h
end

-- 1. Primes, a segment of the sieve of Eratosthenes at a time.
local sieve_from, primes_found = 2, 0
local function primes()
    local size = 80000
    local to = sieve_from + size - 1
    local composite = {}
    for p = 2, math.floor(math.sqrt(to)) do
        for m = math.max(p * p, (sieve_from + p - 1) // p * p), to, p do
            composite[m - sieve_from] = true
        end
    end
    local last
    for i = 0, size - 1 do
        if not composite[i] then
            primes_found = primes_found + 1
            last = sieve_from + i
        end
    end
    sieve_from = to + 1
    return string.format("primes  %d up to %d, the last is %d", primes_found, to, last)
end

-- 2. Digits of pi: the spigot of S. Rabinowitz and S. Wagon (1995) for 800 digits, some each time.
local pi_cells, pi_digits, pi_held, pi_nines = {}, "", nil, 0
local PI = 800
for i = 1, PI * 10 // 3 + 1 do
    pi_cells[i] = 2
end
local function pi_next()
    local carry = 0
    for i = #pi_cells, 2, -1 do
        local x = pi_cells[i] * 10 + carry * i
        pi_cells[i] = x % (2 * i - 1)
        carry = x // (2 * i - 1)
    end
    local x = pi_cells[1] * 10 + carry
    pi_cells[1] = x % 10
    local digit = x // 10
    if digit == 9 then
        pi_nines = pi_nines + 1
        return
    end
    local held, nines = pi_held, "9"
    if digit == 10 then
        held, nines, digit = held + 1, "0", 0
    end
    pi_digits = pi_digits .. (held or "") .. nines:rep(pi_nines)
    pi_held, pi_nines = digit, 0
end
local function pi()
    for _ = 1, 60 do
        if #pi_digits < PI then
            pi_next()
        end
    end
    return string.format("pi      %d digits, ... %s", #pi_digits, pi_digits:sub(-30))
end

-- 3. Sun and four planets, in double arithmetic: + - * / and sqrt, which IEEE 754 makes the same
-- everywhere.
local bodies = {
    {0, 0, 0, 0, 0, 0, 39.47841760435743},
    {4.84143144246472090, -1.16032004402742839, -0.103622044471123109,
     0.606326392995832, 2.81198684491626, -0.02521836165988763, 0.037693674870389486},
    {8.34336671824457987, 4.12479856412430479, -0.403523417114321381,
     -1.01077434617879, 1.82566237123041, 0.008415761376584154, 0.011286326131968767},
    {12.8943695621391310, -15.1111514016986312, -0.223307578892655734,
     1.08279100644154, 0.868713018169608, -0.010832637401363636, 0.0017237240570597112},
    {15.3796971148509165, -25.9193146099879641, 0.179258772950371181,
     0.979090732243898, 0.594698998647676, -0.034755955504078104, 0.0020336868699246304},
}
local function energy()
    local e = 0
    for i, b in ipairs(bodies) do
        e = e + 0.5 * b[7] * (b[4] * b[4] + b[5] * b[5] + b[6] * b[6])
        for j = i + 1, #bodies do
            local c = bodies[j]
            local dx, dy, dz = b[1] - c[1], b[2] - c[2], b[3] - c[3]
            e = e - b[7] * c[7] / math.sqrt(dx * dx + dy * dy + dz * dz)
        end
    end
    return e
end
local function advance(dt)
    for i, b in ipairs(bodies) do
        for j = i + 1, #bodies do
            local c = bodies[j]
            local dx, dy, dz = b[1] - c[1], b[2] - c[2], b[3] - c[3]
            local d2 = dx * dx + dy * dy + dz * dz
            local mag = dt / (d2 * math.sqrt(d2))
            local pull, push = c[7] * mag, b[7] * mag
            b[4], b[5], b[6] = b[4] - dx * pull, b[5] - dy * pull, b[6] - dz * pull
            c[4], c[5], c[6] = c[4] + dx * push, c[5] + dy * push, c[6] + dz * push
        end
    end
    for _, b in ipairs(bodies) do
        b[1], b[2], b[3] = b[1] + dt * b[4], b[2] + dt * b[5], b[3] + dt * b[6]
    end
end
local days = 0.0
local function planets()
    for _ = 1, 3000 do
        advance(0.01)
    end
    days = days + 3000 * 0.01 * 365.24
    local jupiter = bodies[2]
    return string.format("planets day %.0f, energy %.12f, Jupiter at %.9f %.9f", days, energy(),
                         jupiter[1], jupiter[2])
end

-- 4. Strings: words are made, changed, looked up in a table and hashed.
local words, words_hash = {}, nil
local function strings()
    for _ = 1, 2500 do
        local letters = {}
        for i = 1, 3 + random(6) do
            letters[i] = string.char(97 + random(26))
        end
        local word = table.concat(letters):gsub("[aeiou]", string.upper)
        words[word] = (words[word] or 0) + 1
        words_hash = hash(word, words_hash)
        words_hash = hash(word:reverse() .. words[word], words_hash)
    end
    local different = 0
    for _ in pairs(words) do
        different = different + 1
    end
    return string.format("words   %d different, hash %08x", different, words_hash)
end

-- 5. Tables: records sorted by two keys, and the order checked.
local records, sorted_hash = {}, nil
local function sort()
    for _ = 1, 1500 do
        local name = string.format("%05d", random(100000))
        records[#records + 1] = {name = name, weight = random(1000) / 8}
    end
    while #records > 6000 do
        table.remove(records)
    end
    for i, r in ipairs(records) do
        r.weight = (r.weight * 3 + i % 7) % 125
    end
    table.sort(records, function(a, b)
        if a.weight ~= b.weight then return a.weight < b.weight end
        return a.name < b.name
    end)
    for i = 2, #records do
        assert(records[i - 1].weight <= records[i].weight, "not in order")
    end
    for i = 1, #records, 50 do
        sorted_hash = hash(records[i].name .. records[i].weight, sorted_hash)
    end
    local middle = records[#records // 2]
    return string.format("sort    %d records, middle %s %.3f, hash %08x", #records, middle.name,
                         middle.weight, sorted_hash)
end

local tasks = {primes, pi, planets, strings, sort}
local all
for line = 1, lines do
    local text = string.format("%4d  %s", line, tasks[(line - 1) % #tasks + 1]())
    all = hash(text, all)
    print(text)
end
print(string.format("demo: %d lines, hash %08x", lines, all or 0))
