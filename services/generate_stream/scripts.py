"""The Lua scripts of the log and of the index, one file each."""

from pathlib import Path

from shared.script import Script

_LUA = Path(__file__).parent / "lua"

START = Script(_LUA / "start.lua")
APPEND = Script(_LUA / "append.lua")
STOP = Script(_LUA / "stop.lua")
CLAIM = Script(_LUA / "claim.lua")
DELETE = Script(_LUA / "delete.lua")
ERASE = Script(_LUA / "erase.lua")
LEAVE = Script(_LUA / "leave.lua")
SHARE = Script(_LUA / "share.lua")
SHARES = Script(_LUA / "shares.lua")
UNSHARE = Script(_LUA / "unshare.lua")
