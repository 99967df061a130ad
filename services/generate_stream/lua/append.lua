-- append: add entries to a running attempt; with none it is the heartbeat.
-- KEYS   log, meta
-- ARGV   1 attempt's ms  2 token  3 first seq  4 lease (ms)  5 TTL (s)  6 PUBLISH or SPUBLISH
--        7 '' | release | the status that the last entry ends the generation with
--        8 insist or ''  9 k, how many strings of meta follow (only from seq 0 on)  10… these, name and value by turns
--        then for each entry: how many strings, and these, name and value by turns
-- Reply  {ok, last seq of the attempt, 1 if a stop is asked for, server's clock (ms)} | {gap, last seq or -1} | {fenced}
--        | {early}
-- Why    The writer gives the ids, so an append that is sent again adds nothing. Gaps are looked for before the first
--        XADD, because a script that errs leaves what it wrote. Meta that is absent or of an earlier attempt means that
--        Redis lost this attempt: the writer then sends all, meta first; unless the attempt before it, which a Redis
--        that lost the takeover let go on, has ended the generation meanwhile: one end is enough. The first write is
--        an EXPIRE, which Redis lets through at maxmemory, and what follows it too: a running answer always gets its
--        end.
--        A number below the one that meta has is of another life of the session: Redis lost the delete between them.
--        Redis may have lost the end of the generation before, or all of it, together with this one's beginning. Its
--        writer is at work on that too, and fenced once this one has begun again: so this one is early, and waits,
--        until it insists; then one that has begun gets an end from here, for every generation has one.
local log, meta = KEYS[1], KEYS[2]
local mine = tonumber(ARGV[1])
local held = redis.call('HMGET', meta, 'attemptMs', 'token', 'status', 'stop', 'generation')
local held_ms = tonumber(held[1] or -1)
if held[3] == 'deleted' or held_ms > mine or (held_ms == mine and held[2] ~= ARGV[2]) then return {'fenced'} end

local have = -1
local last = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
if last then
  local ms, seq = string.match(last[1], '^(%d+)-(%d+)$')
  if tonumber(ms) > mine then return {'fenced'} end
  if tonumber(ms) == mine then have = tonumber(seq) end
end
local first, meta_strings = tonumber(ARGV[3]), tonumber(ARGV[9])
local lost = held_ms < mine
if lost and meta_strings == 0 then return {'gap', -1} end
local unended, missing
for i = 10, 9 + meta_strings, 2 do
  if lost and ARGV[i] == 'generation' then
    local same = ARGV[i + 1] == held[5]
    if same and held[3] ~= 'running' then return {'fenced'} end
    if tonumber(ARGV[i + 1]) < tonumber(held[5] or 0) then return {'fenced'} end
    unended = not same and held[3] == 'running' and last
    missing = tonumber(ARGV[i + 1]) > tonumber(held[5] or 0) + 1
  end
end
if (unended or missing) and ARGV[8] == '' then return {'early'} end
if first > have + 1 then return {'gap', have} end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease_until = now + ARGV[4]
redis.call('EXPIRE', meta, ARGV[5])
if unended then
  local ms, seq = string.match(last[1], '^(%d+)-(%d+)$')
  redis.call('XADD', log, ms .. '-' .. string.format('%.0f', tonumber(seq) + 1), 'type', 'metadata',
    'status', 'failed', 'generation', held[5], 'ms', '0', 'code', 'producer_lost',
    'error', 'The end of this answer was lost.', 'retryable', 'true')
end
if lost then
  redis.call('HDEL', meta, 'stop', 'losses', 'continues')
  for i = 10, 9 + meta_strings, 2 do redis.call('HSET', meta, ARGV[i], ARGV[i + 1]) end
end

local at, seq, added = 10 + meta_strings, first, 0
while at <= #ARGV do
  local strings = tonumber(ARGV[at])
  if seq > have then
    redis.call('XADD', log, string.format('%.0f-%.0f', mine, seq), unpack(ARGV, at + 1, at + strings))
    have, added = seq, added + 1
  end
  at, seq = at + strings + 1, seq + 1
end

if ARGV[7] == 'release' then
  lease_until = 0
elseif ARGV[7] ~= '' then
  redis.call('HSET', meta, 'status', ARGV[7])
end
redis.call('HSET', meta, 'leaseUntilMs', string.format('%.0f', lease_until))
redis.call('EXPIRE', log, ARGV[5])
redis.call('EXPIRE', meta, ARGV[5])
if added > 0 then redis.call(ARGV[6], log, '') end
local stop = not lost and held[4] and held[4] == held[5] and 1 or 0
return {'ok', have, stop, string.format('%.0f', now)}
