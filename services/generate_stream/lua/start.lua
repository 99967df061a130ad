-- start: begin a generation, unless one runs.
-- KEYS   log, meta
-- ARGV   1 token  2 producer  3 lease (ms)  4 TTL (s)  5 PUBLISH or SPUBLISH  6 generations a session may have
--        7 idempotency key or ''  8 digest of the request  9 request (JSON)  10 its messages (JSON) or ''
--        11 replaces or ''  12 id of the request that asks or ''  13 its traceparent or ''
--        14 owner or ''  15 the subject of quotas that its address is, or ''
--        16 after or ''  17 continues or ''  18 refuse, where what tools gave back is not expected, or ''
--        19… further fields of `started`, name and value by turns
-- Reply  {started, generation, attempt's ms} | {running, generation} | {same, generation, status} | {reused, status}
--        | {full} | {replaces_unknown} | {after_unknown} | {refused} | {unknown, status or '', the end of its lease (ms) or ''}
-- Why    One step decides and writes, so that two replicas asked in the same moment start one generation.
--        What tools gave back was held against the log before. That it is not expected counts last: a repeat by its key
--        is told of the generation that it began, which has changed what is expected.
--        Sent again with its own token (a reply was lost), it says what it has begun. The idempotency key is looked
--        at before "running", so that a client's retry is told of the generation that it began.
--        The first write is an HSET, which Redis refuses at maxmemory: a new answer is not begun without room.
--        A session that has another owner, or none, is unknown to an owner; one that was deleted is free for all.
local log, meta = KEYS[1], KEYS[2]
local key = 'idempotency:' .. ARGV[7]
local held = redis.call('HMGET', meta, 'status', 'generation', 'attemptMs', key, 'token', 'owner',
  'leaseUntilMs')

local theirs = ARGV[14] == '' or held[6] == ARGV[14] or held[1] == 'deleted'
if held[1] and not theirs then return {'unknown', held[1], held[7] or ''} end
if held[1] == 'running' and held[5] == ARGV[1] then return {'started', held[2], held[3]} end
if ARGV[7] ~= '' and held[4] then
  local generation, digest = string.match(held[4], '^(%d+) (.*)$')
  if digest == ARGV[8] then return {'same', generation, held[1]} end
  return {'reused', held[1]}
end
if held[1] == 'running' then return {'running', held[2]} end

local last_ms, last_generation = 0, 0
local last = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
if last then
  -- A log without meta is an outside writer's, and nobody's.
  if not held[1] and not theirs then return {'unknown', '', ''} end
  last_ms = tonumber(string.match(last[1], '^%d+'))
  for i = 1, #last[2], 2 do
    if last[2][i] == 'generation' then last_generation = tonumber(last[2][i + 1]) or 0 end
  end
end
local earlier = math.max(tonumber(held[2] or 0), last_generation)
local generation = string.format('%.0f', earlier + 1)
if earlier + 1 > tonumber(ARGV[6]) then return {'full'} end
if ARGV[11] ~= '' and tonumber(ARGV[11]) > earlier then return {'replaces_unknown'} end
if ARGV[16] ~= '' and tonumber(ARGV[16]) > earlier then return {'after_unknown'} end
if ARGV[18] ~= '' then return {'refused'} end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- Later than every id that was given out, also when the clock went back or the log was deleted meanwhile.
local ms = string.format('%.0f', math.max(now, last_ms + 1, tonumber(held[3] or 0) + 1))

redis.call('HSET', meta, 'generation', generation, 'status', 'running', 'attempt', '1', 'attemptMs', ms,
  'token', ARGV[1], 'producer', ARGV[2], 'leaseUntilMs', string.format('%.0f', now + ARGV[3]), 'request', ARGV[9],
  'requestId', ARGV[12], 'traceparent', ARGV[13])
redis.call('HDEL', meta, 'stop', 'losses', 'address', 'continues')
if ARGV[14] ~= '' then
  redis.call('HSET', meta, 'owner', ARGV[14])
elseif held[1] == 'deleted' then
  redis.call('HDEL', meta, 'owner')
end
if ARGV[15] ~= '' then redis.call('HSET', meta, 'address', ARGV[15]) end
if ARGV[17] ~= '' then redis.call('HSET', meta, 'continues', ARGV[17]) end
if ARGV[10] ~= '' then redis.call('HSET', meta, 'messages', ARGV[10], 'messagesGeneration', generation) end
if ARGV[7] ~= '' then redis.call('HSET', meta, key, generation .. ' ' .. ARGV[8]) end

local fields = {'type', 'metadata', 'status', 'started', 'generation', generation, 'attempt', '1'}
if ARGV[11] ~= '' then
  fields[#fields + 1] = 'replaces'
  fields[#fields + 1] = ARGV[11]
end
if ARGV[16] ~= '' and tonumber(ARGV[16]) ~= earlier then
  fields[#fields + 1] = 'after'
  fields[#fields + 1] = ARGV[16]
end
if ARGV[17] ~= '' then
  fields[#fields + 1] = 'continues'
  fields[#fields + 1] = ARGV[17]
end
for i = 19, #ARGV do fields[#fields + 1] = ARGV[i] end
redis.call('XADD', log, ms .. '-0', unpack(fields))
redis.call('EXPIRE', log, ARGV[4])
redis.call('EXPIRE', meta, ARGV[4])
redis.call(ARGV[5], log, '')
return {'started', generation, ms}
