-- begin: ask whether a subject may begin one more answer; if so, count it, and give it a seat among those that run.
-- KEYS   starts, running, tokens: of one subject
-- ARGV   1 a name for this start  2 session  3 starts in a minute  4 running at a time  5 tokens in a day, 0 for no
--        limit each  6 how long the seat is held (ms)
-- Reply  {taken, the seat's score or '', the score that the session's seat had before or ''} | {tokens | starts | running, ms until there is room, or 0}
-- Why    All limits of one subject are asked in one step, and nothing is taken before all are known to have room. What
--        stays away longest is asked first, so that who comes back when told meets no longer wait. A session has one
--        seat, however often it is taken. Seats further ahead than they are held, and starts to come, are of a clock
--        that went back. The first write is one that Redis lets through at maxmemory: `start` is what is refused there.
local starts, running, tokens = unpack(KEYS)
local most_starts, most_running, most_tokens = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local held, minute, margin = tonumber(ARGV[6]), 60000, 1000
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000

if most_tokens > 0 and tonumber(redis.call('GET', tokens) or 0) >= most_tokens then
  return {'tokens', redis.call('PTTL', tokens)}
end
if most_starts > 0 then
  redis.call('ZREMRANGEBYSCORE', starts, '-inf', now - minute)
  redis.call('ZREMRANGEBYSCORE', starts, now + margin, '+inf')
  local surplus = redis.call('ZCARD', starts) - most_starts
  if surplus >= 0 and not redis.call('ZSCORE', starts, ARGV[1]) then
    return {'starts', math.ceil(redis.call('ZRANGE', starts, surplus, surplus, 'WITHSCORES')[2] + minute - now)}
  end
end
local has = false
if most_running > 0 then
  redis.call('ZREMRANGEBYSCORE', running, '-inf', now)
  redis.call('ZREMRANGEBYSCORE', running, now + held + margin, '+inf')
  has = redis.call('ZSCORE', running, ARGV[2])
  if not has and redis.call('ZCARD', running) >= most_running then return {'running', 0} end
end

if most_starts > 0 then
  redis.call('ZADD', starts, now, ARGV[1])
  redis.call('PEXPIRE', starts, minute)
end
local score = ''
if most_running > 0 then
  redis.call('ZADD', running, now + held, ARGV[2])
  redis.call('PEXPIRE', running, ARGV[6])
  score = redis.call('ZSCORE', running, ARGV[2])
end
return {'taken', score, has or ''}
