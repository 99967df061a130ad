-- unshare: revoke one link, or all, and close who reads by it.
-- KEYS   log, meta
-- ARGV   1 owner or ''  2 field, or '' for all  3 PUBLISH or SPUBLISH
-- Reply  {revoked, how many} | {unknown}
-- Why    A viewer looks at its right when it makes its group. So all groups of the log go, in the same step, and a nudge
--        makes all viewers look again: who still has a right goes on at its own position, the others are let go of.
--        Lost, the nudge is made up for by the viewers' clock, as always.
local log, meta = KEYS[1], KEYS[2]
local held = redis.call('HMGET', meta, 'status', 'owner')
if not held[1] or held[1] == 'deleted' or (ARGV[1] ~= '' and held[2] ~= ARGV[1]) then return {'unknown'} end
local revoked = 0
if ARGV[2] ~= '' then
  revoked = redis.call('HDEL', meta, ARGV[2])
else
  for _, field in ipairs(redis.call('HKEYS', meta)) do
    if string.sub(field, 1, 6) == 'share:' then revoked = revoked + redis.call('HDEL', meta, field) end
  end
end
if revoked > 0 and redis.call('EXISTS', log) == 1 then
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', log)) do redis.call('XGROUP', 'DESTROY', log, group[2]) end
  redis.call(ARGV[3], log, '')
end
return {'revoked', revoked}
