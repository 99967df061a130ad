-- delete: remove a session.
-- KEYS   log, meta
-- ARGV   1 how long the mark stays: the TTL (s)  2 PUBLISH or SPUBLISH  3 prefix of the control channels  4 session
--        5 owner or ''
-- Reply  {deleted} | {absent}
-- Why    The mark fences a writer that is still at work, or paused, or cut off: one that finds no meta takes that for a
--        loss and fills the log again. So it stays for as long as the session would have. It keeps the last ms given
--        out, so that ids of the session's next life are later than all before, and the owner, so that nobody else
--        learns of it.
local log, meta = KEYS[1], KEYS[2]
local held = redis.call('HMGET', meta, 'status', 'attemptMs', 'producer', 'owner')
if ARGV[5] ~= '' and held[4] ~= ARGV[5] then return {'absent'} end
local last = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
if not last and not held[1] then return {'absent'} end
local ms = tonumber(held[2] or 0)
if last then ms = math.max(ms, tonumber(string.match(last[1], '^%d+'))) end
redis.call('DEL', log, meta)
redis.call('HSET', meta, 'status', 'deleted', 'attemptMs', string.format('%.0f', ms))
if held[4] then redis.call('HSET', meta, 'owner', held[4]) end
redis.call('EXPIRE', meta, ARGV[1])
redis.call(ARGV[2], log, '')
if held[1] == 'running' then redis.call('PUBLISH', ARGV[3] .. held[3], ARGV[4]) end
return {'deleted'}
