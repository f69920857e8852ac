-- SPDX-License-Identifier: BSD-2-Clause
-- The smallest script:   lua hello.lua you and me
print("Hello from " .. _VERSION .. ".")
for i, word in ipairs(arg) do
    print("  argument " .. i .. ": " .. word)
end
