-- share: grant what a signed link says, until it expires or is revoked.
-- KEYS   log, meta
-- ARGV   1 owner or ''  2 field  3 its value  4 generation or ''  5 shares that a session may have
-- Reply  {shared} | {unknown} | {generation_unknown} | {full}
-- Why    A link is good while meta holds its field: so revoking is removing it, and with the session all its links go.
--        Those that have expired make room for new ones.
local log, meta = KEYS[1], KEYS[2]
local held = redis.call('HMGET', meta, 'status', 'generation', 'owner')
if not held[1] or held[1] == 'deleted' or (ARGV[1] ~= '' and held[3] ~= ARGV[1]) then return {'unknown'} end
if ARGV[4] ~= '' and tonumber(ARGV[4]) > tonumber(held[2] or 0) then return {'generation_unknown'} end
local now, shares = tonumber(redis.call('TIME')[1]), 0
local all = redis.call('HGETALL', meta)
for i = 1, #all, 2 do
  if string.sub(all[i], 1, 6) == 'share:' then
    if tonumber(string.match(all[i + 1], '%d+$')) > now then
      shares = shares + 1
    else
      redis.call('HDEL', meta, all[i])
    end
  end
end
if shares >= tonumber(ARGV[5]) then return {'full'} end
redis.call('HSET', meta, ARGV[2], ARGV[3])
return {'shared'}
