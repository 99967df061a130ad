-- erase: remove some entries of a generation, and what meta holds of its words.
-- KEYS   log, meta
-- ARGV   1 owner or ''  2 generation  3 how long the mark of a deleted session stays: the TTL (s)
--        4 PUBLISH or SPUBLISH  5… ids of its entries, oldest first
-- Reply  {erased} | {running} | {unknown}
-- Why    A generation may have thousands of entries, and Redis does nothing else meanwhile: so the ids come in steps.
--        A writer that still keeps its ended answer would fill the log again: without its token it is fenced. The
--        generation's number stays taken. Groups go, as with a share that is revoked: a viewer in the middle of what
--        is erased would pass over the hole without a word; one that resumes finds its position gone. With the last
--        entry of all the session goes too, as `delete` does it. What gives room comes first: Redis refuses an HSET at
--        maxmemory, unless the script has already written.
local log, meta, generation = KEYS[1], KEYS[2], ARGV[2]
local held = redis.call('HMGET', meta, 'status', 'generation', 'owner', 'attemptMs', 'messagesGeneration')
if held[1] == 'deleted' or (ARGV[1] ~= '' and held[3] ~= ARGV[1]) then return {'unknown'} end
if held[1] == 'running' and held[2] == generation then return {'running'} end

redis.call('XDEL', log, unpack(ARGV, 5))
if not redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1] then
  local ms = math.max(tonumber(held[4] or 0), tonumber(string.match(ARGV[#ARGV], '^%d+')))
  redis.call('DEL', log, meta)
  redis.call('HSET', meta, 'status', 'deleted', 'attemptMs', string.format('%.0f', ms))
  if held[3] then redis.call('HSET', meta, 'owner', held[3]) end
  redis.call('EXPIRE', meta, ARGV[3])
  redis.call(ARGV[4], log, '')
  return {'erased'}
end

if held[5] == generation then redis.call('HDEL', meta, 'messages', 'messagesGeneration') end
local all = redis.call('HGETALL', meta)
for i = 1, #all, 2 do
  local of = string.match(all[i], '^idempotency:') or string.match(all[i], '^share:')
  if of and string.match(all[i + 1], '^(%d+) ') == generation then redis.call('HDEL', meta, all[i]) end
end
if held[2] == generation then
  redis.call('HDEL', meta, 'request')
  redis.call('HSET', meta, 'token', '')
end
for _, group in ipairs(redis.call('XINFO', 'GROUPS', log)) do redis.call('XGROUP', 'DESTROY', log, group[2]) end
redis.call(ARGV[4], log, '')
return {'erased'}
