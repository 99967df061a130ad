-- claim: take over an attempt whose lease is over.
-- KEYS   log, meta
-- ARGV   1 leaseUntilMs as the claimer saw it  2 token  3 producer  4 lease (ms)  5 TTL (s)  6 PUBLISH or SPUBLISH
--        7 restart | failed  8 the server's clock until which this holds (ms)  9 token as the claimer saw it
--        10 k, how many strings of `started` follow  11… these, name and value by turns
--        then the fields of the entry that ends it as failed (with `failed`), or as stopped (if a stop is asked for)
--        as two more counted lists: how many strings, and these
-- Reply  {claimed, attempt's ms, attempt} | {ended, stopped or failed} | {held} | {gone}
-- Why    The lease seen must still be the lease held, so of two claimers one wins and a writer that has just renewed
--        keeps it. A claim that Redis hears late, because it was paused, may be ahead of a living writer's beat: so
--        it holds only for a moment. Sent again with its own token (a reply was lost), it says what it has done. A lease further ahead than one lease is over too: the clock went back. A release (lease 0) is not
--        a loss. A stop that was asked for ends it here: nobody pays for a second run of what nobody wants.
local log, meta = KEYS[1], KEYS[2]
local held = redis.call('HMGET', meta, 'status', 'leaseUntilMs', 'attempt', 'attemptMs', 'generation', 'stop', 'token')
if held[7] == ARGV[2] then
  if held[1] == 'running' then return {'claimed', held[4], held[3]} end
  return {'ended', held[1]}
end
if held[1] ~= 'running' then return {'gone'} end
if held[2] ~= ARGV[1] or held[7] ~= ARGV[9] then return {'held'} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local left = tonumber(held[2]) - now
if left > 0 and left <= tonumber(ARGV[4]) then return {'held'} end
if now > tonumber(ARGV[8]) then return {'held'} end

local last_ms = 0
local last = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
if last then last_ms = tonumber(string.match(last[1], '^%d+')) end
local ms = string.format('%.0f', math.max(now, last_ms + 1, tonumber(held[4]) + 1))
local attempt = string.format('%.0f', tonumber(held[3]) + 1)

local function add(at, head)
  for i = at + 1, at + tonumber(ARGV[at]) do head[#head + 1] = ARGV[i] end
  redis.call('XADD', log, ms .. '-0', unpack(head))
end
local started = 10
local failed = started + tonumber(ARGV[started]) + 1
local stopped = failed + tonumber(ARGV[failed]) + 1

redis.call('EXPIRE', meta, ARGV[5])
-- The new token and ms fence the earlier attempt from here on.
redis.call('HSET', meta, 'attempt', attempt, 'attemptMs', ms, 'token', ARGV[2], 'producer', ARGV[3],
  'leaseUntilMs', string.format('%.0f', now + ARGV[4]))
if held[2] ~= '0' then redis.call('HINCRBY', meta, 'losses', 1) end

local reply
if held[6] and held[6] == held[5] then
  add(stopped, {'type', 'metadata', 'status', 'stopped', 'generation', held[5]})
  redis.call('HSET', meta, 'status', 'stopped')
  reply = {'ended', 'stopped'}
elseif ARGV[7] == 'failed' then
  add(failed, {'type', 'metadata', 'status', 'failed', 'generation', held[5]})
  redis.call('HSET', meta, 'status', 'failed')
  reply = {'ended', 'failed'}
else
  add(started, {'type', 'metadata', 'status', 'started', 'generation', held[5], 'attempt', attempt})
  reply = {'claimed', ms, attempt}
end
redis.call('EXPIRE', log, ARGV[5])
redis.call(ARGV[6], log, '')
return reply
