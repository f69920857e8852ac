-- SPDX-License-Identifier: BSD-2-Clause
-- In how many ways can N queens stand on a board so that none beats another?   lua queens.lua [N]
-- The first way is drawn; for 8 there are 92, for 10 there are 724, which takes some seconds: time to stun it.
local N = tonumber(arg[1]) or 8

local column, up, down = {}, {}, {} -- of row r: where its queen stands; which diagonals are taken
local taken = {}
local found = 0

local function draw()
    for r = 1, N do
        print((". "):rep(column[r] - 1) .. "Q " .. (". "):rep(N - column[r]))
    end
end

local function place(r)
    if r > N then
        found = found + 1
        if found == 1 then draw() end
        return
    end
    for c = 1, N do
        if not (taken[c] or up[r + c] or down[r - c]) then
            column[r], taken[c], up[r + c], down[r - c] = c, true, true, true
            place(r + 1)
            taken[c], up[r + c], down[r - c] = nil, nil, nil
        end
    end
end

place(1)
print(string.format("%d queens: %d ways", N, found))
