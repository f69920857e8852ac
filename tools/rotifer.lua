-- SPDX-License-Identifier: BSD-2-Clause
-- A dissector for Wireshark and tshark: the header of a frame (net/wire.h), field by field, with names for kinds, flags
-- and operations.
--
--   tshark -X lua_script:tools/rotifer.lua -r FILE -Y 'rotifer.kind == 1 && rotifer.op == 51'
--   tshark -X lua_script:tools/rotifer.lua -r FILE -T fields -e rotifer.kind_name -e rotifer.seq -e frame.comment
--
-- The names come from the sources, which lie beside this file: net/wire.h and services/protocol/numbers.h. Without them
-- there are numbers.

local ETHERTYPE, HEADER = 0x88b5, 216
local KIND_AT, FLAGS_AT, OP_AT, SEQ_AT, PAYLOAD_AT = 15, 18, 60, 64, 172

-- name, byte, size, how it is shown: "dec", "hex", "int" (signed)
local layout = {
    { "version", 14, 1, "dec" },
    { "kind", 15, 1, "dec" },
    { "hops", 16, 1, "dec" },
    { "limit", 17, 1, "dec" },
    { "flags", 18, 2, "hex" },
    { "path_payload", 20, 4, "dec" },
    { "src_node", 24, 8, "hex" },
    { "dst_node", 32, 8, "hex" },
    { "src_ep", 40, 8, "hex" },
    { "dst_ep", 48, 8, "hex" },
    { "tid", 56, 4, "dec" },
    { "op", 60, 4, "dec" },
    { "seq", 64, 8, "dec" },
    { "cap", 72, 32, "bytes" },
    { "arg", 104, 32, "bytes" },
    { "status", 136, 8, "int" },
    { "total", 144, 8, "dec" },
    { "offset", 152, 8, "dec" },
    { "mask", 160, 8, "hex" },
    { "frag", 168, 4, "dec" },
    { "payload", 172, 4, "dec" },
    { "client_inc", 176, 4, "dec" },
    { "server_inc", 180, 4, "dec" },
    { "ask", 184, 4, "dec" },
    { "key", 188, 4, "dec" },
    { "counter", 192, 8, "dec" },
    { "tag", 200, 16, "bytes" },
}

-- --- Names from the sources ---------------------------------------------------------------------------------

local function source(path)
    local here = debug.getinfo(1, "S").source:match("^@(.*)[/\\][^/\\]*$") or "."
    local file = io.open(here .. "/../" .. path, "r")
    if not file then return "" end
    local text = file:read("*a")
    file:close()
    return text
end

local kinds, flags, ops = {}, {}, {}
local wire, number = source("net/wire.h"), 0
for name in (wire:match("enum wire_kind (%b{})") or ""):gsub("//[^\n]*", ""):gmatch("WIRE_([%w_]+)") do
    number = number + 1
    kinds[number] = name
end
for name, bit in wire:gmatch("#define WIRE_FLAG_(%w+) (%d+)u") do flags[#flags + 1] = { name, tonumber(bit) } end
for name, op in source("services/protocol/numbers.h"):gmatch("X%(OP_([%w_]+), (%d+),") do ops[tonumber(op)] = name end

-- --- Fields -------------------------------------------------------------------------------------------------

local rotifer = Proto("rotifer", "Rotifer")
local fields = {}

local function make_field(name, size, shown)
    local id = "rotifer." .. name
    if shown == "bytes" then return ProtoField.bytes(id, name) end
    if shown == "int" then return ProtoField.int64(id, name, base.DEC) end
    return ProtoField["uint" .. size * 8](id, name, shown == "hex" and base.HEX or base.DEC)
end

for _, f in ipairs(layout) do fields[f[1]] = make_field(f[1], f[3], f[4]) end
fields.kind_name = ProtoField.string("rotifer.kind_name", "kind's name")
fields.op_name = ProtoField.string("rotifer.op_name", "operation's name")
fields.flag_names = ProtoField.string("rotifer.flag_names", "flags' names")
fields.data = ProtoField.bytes("rotifer.data", "data")
rotifer.fields = fields

local short = ProtoExpert.new("rotifer.short", "shorter than a header", expert.group.MALFORMED, expert.severity.ERROR)
local length = ProtoExpert.new("rotifer.length", "payload is not as long as the header says", expert.group.MALFORMED,
    expert.severity.ERROR)
rotifer.experts = { short, length }

-- --- A frame ------------------------------------------------------------------------------------------------

local function names_of_flags(value)
    local names = {}
    for _, f in ipairs(flags) do
        if math.floor(value / f[2]) % 2 == 1 then names[#names + 1] = f[1] end
    end
    return table.concat(names, " ")
end

-- The EtherType's dissector gets what is behind the Ethernet header, 14 bytes: offsets are those of net/wire.h less
-- these.
local ETHERNET = 14

function rotifer.dissector(buffer, packet, tree)
    packet.cols.protocol = "Rotifer"
    local part = tree:add(rotifer, buffer())
    if buffer:len() < HEADER - ETHERNET then
        part:add_proto_expert_info(short)
        return
    end
    for _, f in ipairs(layout) do
        local range = buffer(f[2] - ETHERNET, f[3])
        if f[4] == "bytes" then part:add(fields[f[1]], range) else part:add_le(fields[f[1]], range) end
    end
    local kind = buffer(KIND_AT - ETHERNET, 1):le_uint()
    local op = buffer(OP_AT - ETHERNET, 4):le_uint()
    local flag = buffer(FLAGS_AT - ETHERNET, 2):le_uint()
    local kind_name, op_name, flag_names = kinds[kind] or tostring(kind), "", names_of_flags(flag)
    if kind_name == "REQUEST" then op_name = ops[op] or tostring(op) end
    part:add(fields.kind_name, buffer(KIND_AT - ETHERNET, 1), kind_name)
    if op_name ~= "" then part:add(fields.op_name, buffer(OP_AT - ETHERNET, 4), op_name) end
    if flag_names ~= "" then part:add(fields.flag_names, buffer(FLAGS_AT - ETHERNET, 2), flag_names) end
    local data = buffer:len() - (HEADER - ETHERNET)
    if data > 0 then part:add(fields.data, buffer(HEADER - ETHERNET)) end
    if data ~= buffer(PAYLOAD_AT - ETHERNET, 4):le_uint() then part:add_proto_expert_info(length) end
    local said = kind_name .. (op_name ~= "" and " " .. op_name or "") .. (flag_names ~= "" and " " .. flag_names or "")
    packet.cols.info = ("%s seq %s, %d bytes"):format(said, tostring(buffer(SEQ_AT - ETHERNET, 8):le_uint64()), data)
end

DissectorTable.get("ethertype"):add(ETHERTYPE, rotifer)
