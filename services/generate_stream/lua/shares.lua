-- shares: what is granted now.
-- KEYS   log, meta
-- ARGV   1 owner or ''
-- Reply  {shares, field, value, …} | {unknown}
-- Why    Of the whole hash, which may hold a long conversation, only the shares leave Redis.
local meta = KEYS[2]
local held = redis.call('HMGET', meta, 'status', 'owner')
if not held[1] or held[1] == 'deleted' or (ARGV[1] ~= '' and held[2] ~= ARGV[1]) then return {'unknown'} end
local reply, all = {'shares'}, redis.call('HGETALL', meta)
for i = 1, #all, 2 do
  if string.sub(all[i], 1, 6) == 'share:' then
    reply[#reply + 1] = all[i]
    reply[#reply + 1] = all[i + 1]
  end
end
return reply
