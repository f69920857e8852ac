-- SPDX-License-Identifier: BSD-2-Clause
-- A game to play at the terminal:   lua guess.lua
-- Stun it with Ctrl-Z while it waits for you; fg brings it back, and it still knows its number.
local secret = math.random(100)
local guesses = 0
print("I think of a number from 1 to 100.")
while true do
    io.write("Your guess: ")
    local line = io.read()
    if not line then
        print("It was " .. secret .. ".")
        break
    end
    local guess = tonumber(line)
    guesses = guesses + 1
    if not guess then
        print("That is no number.")
    elseif guess < secret then
        print("More.")
    elseif guess > secret then
        print("Less.")
    else
        print("Yes, after " .. guesses .. ".")
        break
    end
end
